//! The course from checkpoints to a trajectory over the loss.

use anyhow::bail;

use super::traced::{Course, Traced};
use super::{document, pictures, table};
use crate::command::ending::{self, STORED};
use crate::command::slices::{STORE, Sampled, around, evaluate, extent, open};
use crate::engine::analysis::Weights;
use crate::engine::device;
use crate::engine::measure_dir::{MeasureDir, inspect};
use crate::engine::slices::{Tracing, Trajectory};
use crate::engine::spread::SpreadOver;
use crate::engine::stored::{Stored, Which};
use crate::engine::watch::{Watch, Work};
use crate::failure::usage;
use crate::report::output::print;
use crate::report::progress::Progress;
use crate::report::width;

impl Course<'_> {
    /// Measures, prints, and writes document, pictures and numbers.
    ///
    /// # Errors
    /// A usage error for settings that do not fit, before anything is measured or written; a
    /// failure of data or disk.
    pub(crate) fn carry_out(&self) -> anyhow::Result<u8> {
        let plan = self.run.last.plan();
        let device = device::autodiff(self.device.unwrap_or(plan.device))
            .map_err(|message| usage(format!("--device: {message}")))?;
        self.source.check(plan, &device)?;
        let sample = self.examples.unwrap_or(plan.curvature_examples.get());
        let subject = self.source.subject(plan, sample, &device)?;
        let devices = self.spread.map(SpreadOver::devices);
        let weights = Weights::Checkpoint(&self.run.last);
        let point = subject.place(weights, plan.seed, &device, devices)?;
        if let Some(path) = point.not_finite()? {
            bail!(
                "the weights of {} are not all finite at its last step (there is NaN or infinity in {path}); name the steps before that with --step",
                self.name()
            );
        }
        inspect(&self.output, self.kind, self.overwrite)?;
        let is_store = |name: &str| name.ends_with(STORE);
        let mut folder = MeasureDir::resume(&self.output, self.kind, self.overwrite, is_store)?;
        let watch = Watch::new(
            Progress::of_measurements(&self.name()),
            self.interrupt.clone(),
        );
        let read = |step| Stored::open(&self.run.directory, Which::Step(step));
        let tracing = Tracing {
            steps: &self.run.steps,
            read: &read,
            centre: self.centre,
            splits: &self.splits,
            accuracy: self.shown.accuracy(),
            seed: plan.seed,
            device: &device,
        };
        let work: Work<'_, Trajectory<'_>> = (
            "trajectory",
            Box::new(|| point.trajectory(&tracing, &watch)),
        );
        let done = watch.carry_out(vec![work]);
        let (mut failures, mut interrupted) = (done.failures, done.interrupted);
        let mut traced = None;
        if let Some(mut trajectory) = done.findings.into_iter().next() {
            let places = trajectory.checkpoints.iter().map(|at| at.coordinates);
            // The centre of the deviations is at 0, 0.
            let drawn: Vec<[f64; 2]> = places.chain([[0.0; 2]]).collect();
            let axes = around(&drawn, self.margin, self.grid);
            trajectory.plane.within(extent(&axes))?;
            let path = folder.claim(&format!("points{STORE}"))?;
            let mut store = open(&path, &trajectory.plane.identity(&axes))?;
            let work: Work<'_, Sampled<2>> = (
                "loss on the plane",
                Box::new(|| evaluate(&*trajectory.plane, None, axes, &mut store, &watch)),
            );
            let done = watch.carry_out(vec![work]);
            failures.extend(done.failures);
            interrupted = done.interrupted;
            traced = Some(Traced {
                trajectory,
                sampled: done.findings.into_iter().next(),
            });
        }
        drop(watch);
        if let Some(traced) = traced.as_ref().filter(|_| !interrupted) {
            for (name, bytes) in pictures::files(traced, self)? {
                folder.write(&name, &bytes)?;
            }
        }
        let about = document::About {
            parameters: point.parameters(),
            examples: point.examples(),
            failures: &failures,
            interrupted,
        };
        let document = document::document(self, traced.as_ref(), &about);
        let document = folder.conclude(document)?;
        if self.json {
            print(&format!("{document:#}"))?;
        } else if let Some(traced) = &traced {
            table::show(self, traced, &about, width::columns())?;
        }
        if let Some(spread) = self.spread {
            spread.tell_lost();
        }
        let failures = ending::of(self.name(), &failures);
        Ok(ending::end(failures, interrupted.then_some(STORED)))
    }
}
