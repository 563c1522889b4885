//! The course from models to paths between them.

use crate::command::points::{Gathered, Named};
use crate::command::slices::{Shown, Target, checked};
use crate::engine::measure_dir::{Kind, MeasureDir, inspect};
use crate::engine::slices::{ALIGNED, MeasuredPath, PathSettings};
use crate::engine::watch::{Watch, Work};
use crate::failure::{self, FAILED, SUCCESS};
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable, say};
use crate::report::paint::Paint;
use crate::report::progress::Progress;
use crate::report::width;

use super::{document, pictures, table};

/// Paths between some models.
pub(crate) struct Course<'a> {
    /// The document.
    pub(crate) kind: Kind,
    /// The models.
    pub(crate) gathered: &'a Gathered,
    /// The settings.
    pub(crate) settings: &'a PathSettings,
    /// The form of pictures and numbers.
    pub(crate) shown: &'a Shown,
    /// Points along each side of the plane of a curve, if it is drawn.
    pub(crate) plane: Option<usize>,
    /// Whether what was found earlier is replaced.
    pub(crate) overwrite: bool,
    /// Whether one JSON document is printed.
    pub(crate) json: bool,
    /// Whether somebody asks to stop.
    pub(crate) interrupt: &'a Interrupt,
}

/// Two models, and the paths between them.
pub(crate) struct Connected<'a> {
    /// The places of the models.
    pub(crate) places: [usize; 2],
    /// The models.
    pub(crate) ends: [&'a Named; 2],
    /// The paths.
    pub(crate) paths: Vec<MeasuredPath>,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
}

impl Connected<'_> {
    /// Returns the names of both models.
    pub(crate) fn name(&self) -> String {
        self.ends.map(|named| &*named.name).join(" to ")
    }
}

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
        let mut folder = MeasureDir::take(folder, self.kind, self.overwrite)?;
        let mut interrupted = false;
        let mut found: Vec<Connected<'_>> = Vec::new();
        let pairs: Vec<[usize; 2]> = (0..points.len())
            .flat_map(|first| (first + 1..points.len()).map(move |second| [first, second]))
            .collect();
        for (number, places) in (1..).zip(&pairs) {
            let ends = places.map(|place| &points[place]);
            let watch = self.watch(ends, number, pairs.len());
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
            interrupted = done.interrupted;
            found.push(Connected {
                places: *places,
                ends,
                paths: done.findings,
                failures: done.failures,
            });
            if interrupted {
                break;
            }
        }
        for (name, bytes) in pictures::files(&found, self)? {
            folder.write(&name, &bytes)?;
        }
        let document = folder.conclude(document::document(self, &found, interrupted))?;
        if self.json {
            print(&format!("{document:#}"))?;
        } else {
            table::show(self, &found, width::columns())?;
        }
        let mut failed = false;
        for connected in &found {
            for failure in &connected.failures {
                failed = true;
                let alarm = Paint::stderr().alarm("failed:");
                let line = format!("{}: {failure}", connected.name());
                say(&format!("{alarm} {}", printable(&line)));
            }
        }
        if interrupted {
            say("stopped; what was measured until then is complete");
            return Ok(failure::INTERRUPTED);
        }
        Ok(if failed { FAILED } else { SUCCESS })
    }

    fn watch(&self, ends: [&Named; 2], number: usize, count: usize) -> Watch {
        let name = ends.map(|named| &*named.name).join(" to ");
        let progress = Progress::of_measurements(&match count {
            1 => name,
            count => format!("{name} ({number} of {count})"),
        });
        for note in ends.iter().flat_map(|named| &named.notes) {
            progress.warn(note);
        }
        Watch::new(progress, self.interrupt.clone())
    }
}
