//! The course of `surface` and `line`: each slice in its turn, one document, one table, pictures on
//! one scale.

use anyhow::bail;

use super::document;
use super::evaluate::{evaluate, grid, open};
use super::measured::{Course, Measured, STORE, Target};
use super::sampled::Sampled;
use super::table;
use crate::command::ending::{self, STORED};
use crate::command::points::{Named, watch};
use crate::comparison::wrapped;
use crate::config::reach::Reach;
use crate::engine::measure_dir::{MeasureDir, inspect};
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Adaptive, Place, SliceSettings};
use crate::engine::watch::{Watch, Work};
use crate::failure::usage;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::width;

/// A kind of slice: of one dimension or of two.
pub(crate) trait Shape<const D: usize> {
    /// The work in the progress.
    const WORK: &'static str;
    /// The title of the table.
    const TITLE: &'static str;

    /// Makes the directions of a slice.
    ///
    /// # Errors
    /// A usage error for models that have no slice through them; a failure of the work.
    fn prepare<'m>(
        &self,
        models: &[&'m Named],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Adaptive<D> + 'm>>;

    /// Draws the slices.
    ///
    /// # Errors
    /// When a picture cannot be drawn.
    fn pictures(
        &self,
        found: &[(&Target<'_>, &Sampled<D>)],
        course: &Course<'_>,
    ) -> anyhow::Result<Vec<NamedFile>>;
}

/// A slice that is begun: its models, and the slice itself where it was made to look for its
/// coordinates.
struct Begun<'a, const D: usize> {
    target: Target<'a>,
    slice: Option<Box<dyn Adaptive<D> + 'a>>,
}

impl<'a> Course<'a> {
    /// Measures, prints, and writes document, pictures and numbers.
    ///
    /// # Errors
    /// A usage error for settings that do not fit, before anything is measured or written; a
    /// failure of the disk.
    pub(crate) fn carry_out<const D: usize, S: Shape<D>>(&self, shape: &S) -> anyhow::Result<u8> {
        let targets = self.targets();
        for target in &targets {
            checked(target)?;
        }
        inspect(&self.gathered.folder, self.kind, self.overwrite)?;
        let mut folder =
            MeasureDir::resume(&self.gathered.folder, self.kind, self.overwrite, is_store)?;
        let Some((reach, begun)) = self.begin(shape, targets)? else {
            return Ok(ending::end([], Some(STORED)));
        };
        let mut interrupted = false;
        let count = begun.len();
        let mut found: Vec<Measured<'a, D>> = Vec::new();
        for (number, Begun { target, slice }) in (1..).zip(begun) {
            // What is to be known about models was told when their slice was made.
            let untold = target.models.iter().copied().filter(|_| slice.is_none());
            let watch = watch(&target.name, [number, count], untold, self.interrupt);
            let made: Work<'_, Box<dyn Adaptive<D> + 'a>> = (
                "directions",
                Box::new(|| {
                    let mut slice = match slice {
                        Some(slice) => slice,
                        None => shape.prepare(&target.models, self.settings, &watch)?,
                    };
                    slice.within(reach.map(Reach::range))?;
                    Ok(slice)
                }),
            );
            let made = watch.carry_out(vec![made]);
            let (mut failures, mut sampled) = (made.failures, None);
            interrupted = made.interrupted;
            if let Some(slice) = made.findings.first() {
                let axes = grid::<D>(&reach, &self.settings.points);
                let path = folder.claim(&store_name(number))?;
                let mut store = open(&path, &slice.identity(&axes))?;
                let work: Work<'_, Sampled<D>> = (
                    S::WORK,
                    Box::new(|| evaluate(&**slice, self.settings.refine, axes, &mut store, &watch)),
                );
                let done = watch.carry_out(vec![work]);
                failures.extend(done.failures);
                interrupted = done.interrupted;
                sampled = done.findings.into_iter().next();
            }
            found.push(Measured {
                target,
                sampled,
                failures,
            });
            if interrupted {
                break;
            }
        }
        self.conclude(shape, &mut folder, &found, interrupted)
    }

    /// Returns the coordinates of all slices, and the slices that were made to find them: as far as
    /// the loss of each has to be followed until it has risen by the factor, or those of the
    /// settings; none where somebody stopped it.
    fn begin<const D: usize, S: Shape<D>>(
        &self,
        shape: &S,
        targets: Vec<Target<'a>>,
    ) -> anyhow::Result<Option<([Reach; D], Vec<Begun<'a, D>>)>> {
        let Some(factor) = self.settings.adapt else {
            let reach = self.settings.reach;
            let reach = reach.expect("coordinates that are not adapted are said");
            let begun = |target| Begun {
                target,
                slice: None,
            };
            return Ok(Some(([reach; D], targets.into_iter().map(begun).collect())));
        };
        let count = targets.len();
        let mut common: Option<[Reach; D]> = None;
        let mut begun = Vec::new();
        for (number, target) in (1..).zip(targets) {
            let models = target.models.iter().copied();
            let watch = watch(&target.name, [number, count], models, self.interrupt);
            let work: Work<'_, ([Reach; D], Box<dyn Adaptive<D> + 'a>)> = (
                "range",
                Box::new(|| {
                    let mut slice = shape.prepare(&target.models, self.settings, &watch)?;
                    Ok((slice.adapt(factor, &watch)?, slice))
                }),
            );
            let done = watch.carry_out(vec![work]);
            if done.interrupted {
                return Ok(None);
            }
            let Some((found, slice)) = done.findings.into_iter().next() else {
                bail!("{}: {}", target.name, done.failures.concat());
            };
            common = Some(match common {
                Some(common) => std::array::from_fn(|axis| common[axis].join(found[axis])),
                None => found,
            });
            begun.push(Begun {
                target,
                slice: Some(slice),
            });
        }
        Ok(common.map(|reach| (reach, begun)))
    }

    fn conclude<const D: usize, S: Shape<D>>(
        &self,
        shape: &S,
        folder: &mut MeasureDir,
        found: &[Measured<'_, D>],
        interrupted: bool,
    ) -> anyhow::Result<u8> {
        let complete: Vec<(&Target<'_>, &Sampled<D>)> = found
            .iter()
            .filter_map(|measured| Some((&measured.target, measured.sampled.as_ref()?)))
            .collect();
        if !interrupted && !complete.is_empty() {
            for (name, bytes) in super::files::numbers(&complete, self.shown)? {
                folder.write(&name, &bytes)?;
            }
            for (name, bytes) in shape.pictures(&complete, self)? {
                folder.write(&name, &bytes)?;
            }
        }
        let document = document::document(self, found, interrupted);
        let document = folder.conclude(document)?;
        if self.json {
            print(&format!("{document:#}"))?;
        } else if !complete.is_empty() {
            self.print::<D>(S::TITLE, &complete)?;
        }
        self.gathered.tell_lost_devices();
        let failures = found
            .iter()
            .flat_map(|measured| ending::of(&measured.target.name, &measured.failures));
        Ok(ending::end(failures, interrupted.then_some(STORED)))
    }

    fn print<const D: usize>(
        &self,
        title: &str,
        found: &[(&Target<'_>, &Sampled<D>)],
    ) -> anyhow::Result<()> {
        let columns = width::columns();
        let heading = wrapped(&table::heading(title, self, found), columns);
        print(&Paint::stdout().strong(&printable(&heading)))?;
        print(&printable(&table::sheet(found, self).fit(columns)))?;
        print("")?;
        for remark in table::remarks(self, found) {
            print(&printable(&wrapped(&remark, columns)))?;
        }
        let folder = self.gathered.folder.display().to_string();
        print(&format!("Numbers and pictures: {}", printable(&folder)))
    }

    /// Returns the slices: one through all models, or one for each.
    fn targets(&self) -> Vec<Target<'a>> {
        let points = &self.gathered.points;
        match self.settings.place {
            Place::Through { .. } => vec![Target {
                name: self.gathered.joined_names(),
                models: points.iter().collect(),
            }],
            Place::Along { .. } => points
                .iter()
                .map(|named| Target {
                    name: named.name.clone(),
                    models: vec![named],
                })
                .collect(),
        }
    }
}

/// Checks that a slice goes through its models.
///
/// # Errors
/// A usage error for models of different networks and for equal ones; a failure for weights that
/// are not finite.
pub(crate) fn checked(target: &Target<'_>) -> anyhow::Result<()> {
    for named in &target.models {
        if let Some(path) = named.point.not_finite()? {
            bail!(
                "the weights of {} are not all finite (there is NaN or infinity in {path}), so there is no loss around them; name an earlier checkpoint with --step",
                named.name
            );
        }
    }
    for (place, named) in target.models.iter().enumerate() {
        for other in &target.models[..place] {
            if !other.point.is_like(&*named.point) {
                return Err(usage(format!(
                    "there is nothing between {} and {}: they are different networks ({} and {}); give runs of one network",
                    other.name, named.name, other.network, named.network
                )));
            }
            if other.point.weights_crc32c() == named.point.weights_crc32c() {
                return Err(usage(format!(
                    "there is nothing between {} and {}: their weights are equal; give other runs or steps",
                    other.name, named.name
                )));
            }
        }
    }
    Ok(())
}

fn store_name(number: usize) -> String {
    format!("points-{number}{STORE}")
}

fn is_store(name: &str) -> bool {
    name.ends_with(STORE)
}
