//! The course from models to paths between them.

use std::path::Path;

use crate::command::ending::{self, COMPLETE};
use crate::command::points::watch;
use crate::command::slices::{Target, around, checked, evaluate, extent, open};
use crate::engine::measure_dir::{MeasureDir, inspect};
use crate::engine::slices::{ALIGNED, CurvePlane, MeasuredPath};
use crate::engine::watch::{Watch, Work};
use crate::report::output::print;
use crate::report::width;

use super::connected::{Average, Connected, Course, Plane};
use super::{document, pictures, table};

/// The margin around a curve in its plane, over its extent.
const MARGIN: f64 = 0.25;

/// The name of the store of the plane.
const PLANE: &str = "plane.slice";

impl Course<'_> {
    /// Trains, measures, prints, and writes document, pictures and numbers.
    ///
    /// # Errors
    /// A usage error for models that have nothing between them, before anything is measured or
    /// written; a failure of the disk.
    pub(crate) fn carry_out(&self) -> anyhow::Result<u8> {
        let points = &self.gathered.points;
        checked(&Target {
            name: self.gathered.joined_names(),
            models: points.iter().collect(),
        })?;
        let folder = &self.gathered.folder;
        inspect(folder, self.kind, self.overwrite)?;
        let is_plane = |name: &str| name == PLANE;
        let mut folder = MeasureDir::resume(folder, self.kind, self.overwrite, is_plane)?;
        let mut interrupted = false;
        let mut found: Vec<Connected<'_>> = Vec::new();
        let pairs: Vec<[usize; 2]> = (0..points.len())
            .flat_map(|first| (first + 1..points.len()).map(move |second| [first, second]))
            .collect();
        for (number, places) in (1..).zip(&pairs) {
            let ends = places.map(|place| &points[place]);
            let name = ends.map(|named| &*named.name).join(" to ");
            let watch = watch(&name, [number, pairs.len()], ends, self.interrupt);
            let pair = ends[0].point.connect(&*ends[1].point, self.settings);
            let (pair, watched) = (&pair, &watch);
            let mut works: Vec<Work<'_, MeasuredPath>> = Vec::new();
            for &kind in &self.settings.paths {
                works.push((kind.name(), Box::new(move || pair.path(kind, watched))));
            }
            if self.settings.align {
                works.push((ALIGNED, Box::new(|| pair.aligned_line(watched))));
            }
            let done = watch.carry_out(works);
            let mut failures = done.failures;
            interrupted = done.interrupted;
            let mut plane = None;
            if let (false, Some(side), [_]) = (interrupted, self.plane, &pairs[..]) {
                let mut claim = || folder.claim(PLANE);
                let works: Vec<Work<'_, Option<Plane>>> = vec![(
                    "plane of the curve",
                    Box::new(|| match pair.plane()? {
                        Some(of_curve) => on_plane(of_curve, side, &claim()?, &watch).map(Some),
                        None => Ok(None),
                    }),
                )];
                let done = watch.carry_out(works);
                failures.extend(done.failures);
                interrupted = done.interrupted;
                plane = done.findings.into_iter().flatten().next();
            }
            found.push(Connected {
                places: *places,
                ends,
                paths: done.findings,
                plane,
                failures,
            });
            if interrupted {
                break;
            }
        }
        let average = match interrupted {
            true => None,
            false => Some(self.average()?),
        };
        for (name, bytes) in pictures::files(&found, self)? {
            folder.write(&name, &bytes)?;
        }
        let document = document::document(self, &found, average.as_ref(), interrupted);
        let document = folder.conclude(document)?;
        if self.json {
            print(&format!("{document:#}"))?;
        } else {
            table::show(self, &found, average.as_ref(), width::columns())?;
        }
        self.gathered.tell_lost_devices();
        let failures = found
            .iter()
            .flat_map(|connected| ending::of(connected.name(), &connected.failures));
        Ok(ending::end(failures, interrupted.then_some(COMPLETE)))
    }

    /// Measures the average of the weights of all models.
    fn average(&self) -> anyhow::Result<Average> {
        let mut models = self.gathered.points.iter().map(|named| &*named.point);
        let first = models.next().expect("a path has two ends");
        first.average(&models.collect::<Vec<_>>(), self.settings)
    }
}

/// Measures the loss on the plane of a curve, with a margin around it.
fn on_plane(
    of_curve: CurvePlane<'_>,
    side: usize,
    path: &Path,
    watch: &Watch,
) -> anyhow::Result<Plane> {
    let CurvePlane {
        mut plane,
        models,
        curve,
    } = of_curve;
    let drawn: Vec<[f64; 2]> = models.iter().chain(&curve).copied().collect();
    let axes = around(&drawn, MARGIN, [side; 2]);
    plane.within(extent(&axes))?;
    let mut store = open(path, &plane.identity(&axes))?;
    let sampled = evaluate(&*plane, None, axes, &mut store, watch)?;
    Ok(Plane {
        sampled,
        models,
        curve,
    })
}
