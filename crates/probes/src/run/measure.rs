//! The measurements of one step.

use std::cell::{Cell, RefCell};

use super::measurer::{Allowed, Measurer, Told};
use super::message::{At, Message};
use super::observation::{Measured, Observation};
use crate::Error;
use crate::error::caught;
use crate::probe::{Moment, Run};
use crate::record::Records;
use crate::workload::Hessians;

impl<M> Measurer<M> {
    /// Measures what is allowed; false if it was told to stop. All that the budget pays for may
    /// take `balance` seconds: where something took longer than was thought, what does not fit any
    /// more goes on waiting.
    pub(super) fn measure(
        &mut self,
        (allowed, mut balance): (&[Option<Allowed>], f64),
        hessians: &Hessians,
        model: &M,
        told: Told<'_>,
        observation: &mut Observation,
    ) -> bool {
        let (step, of) = (observation.step, allowed.iter().flatten().count());
        let interrupt = self.interrupt.as_deref();
        let handler = RefCell::new(&mut self.handler);
        let is_end = self.total_steps == Some(step);
        let now = Moment {
            learning_rate: told.learning_rate,
            optimiser: told.optimiser,
            total_steps: self.total_steps,
            run: Run {
                interrupt,
                shared: Some((&self.known, hessians)),
                progress: None,
            },
            ..Moment::new(step, model)
        };
        let mut number = 0;
        let mut outcomes = Vec::new();
        for (index, (entry, allowed)) in self.entries.iter_mut().zip(allowed).enumerate() {
            let Some(Allowed(mut seconds)) = *allowed else {
                continue;
            };
            let is_required = entry.required.now(is_end);
            // A cost by what was measured at this step already.
            let cost = (!is_required && balance.is_finite())
                .then(|| entry.cost(&now))
                .flatten();
            if !is_required {
                if cost.map_or(balance <= 0.0, |cost| cost.least > balance) {
                    continue;
                }
                let least = cost.map_or(0.0, |cost| cost.least);
                seconds = seconds.map(|seconds| {
                    let most = entry.near_last(seconds);
                    most.max(least).min(balance)
                });
            }
            number += 1;
            let name = entry.name().to_owned();
            let at = At {
                step,
                probe: &name,
                number,
                of,
            };
            handler.borrow_mut()(&Message::Measuring(at));
            let done = Cell::new(0);
            let progress = || {
                done.set(done.get() + 1);
                handler.borrow_mut()(&Message::Progress {
                    at,
                    done: done.get(),
                });
            };
            let moment = Moment {
                seconds: seconds.map(|seconds| entry.told(seconds)),
                run: Run {
                    progress: Some(&progress),
                    ..now.run
                },
                ..now
            };
            if moment.run.stops() {
                return false;
            }
            let (started, products) = ((self.clock)(), hessians.products());
            let mut records = Records::new(step);
            let result = caught(|| entry.probe.measure(&moment, &mut records))
                .unwrap_or_else(|message| Err(Error::Panicked { message }));
            if let Err(Error::Landscape(landscape::Error::Cancelled { .. })) = &result
                && moment.run.stops()
            {
                return false;
            }
            let shortened = observation.take_in(records, &name);
            let took = (self.clock)().saturating_sub(started).as_secs_f64();
            let products = hessians.products() - products;
            balance -= if is_required { 0.0 } else { took };
            // What the measurement itself taught of the times is not the probe's being slow.
            let again = cost.and_then(|cost| Some(entry.cost(&now)?.full / cost.full));
            let taught = again
                .filter(|ratio| ratio.is_finite())
                .unwrap_or(1.0)
                .max(1.0);
            let given = seconds.map(|seconds| taught * seconds);
            if let Err(error) = &result {
                let reason = error.to_string();
                handler.borrow_mut()(&Message::Failed {
                    at,
                    reason: &reason,
                });
            } else {
                handler.borrow_mut()(&Message::Measured { at, seconds: took });
            }
            outcomes.push((
                index,
                result,
                given,
                Measured {
                    probe: name,
                    seconds: took,
                    products,
                    shortened,
                },
            ));
        }
        if !outcomes.is_empty() {
            // What was learned of the times changes what others ask for.
            self.entries.iter_mut().for_each(|entry| entry.asks = None);
        }
        for (index, result, given, measured) in outcomes {
            let entry = &mut self.entries[index];
            entry.waits = false;
            self.learned |= entry.last.is_none();
            entry.took(measured.seconds, given);
            entry.tally.seconds += measured.seconds;
            if entry.required.now(is_end) {
                self.required += measured.seconds;
            } else {
                entry.spent += measured.seconds;
            }
            entry.tally.products += measured.products;
            match result {
                Ok(()) => {
                    entry.tally.measured += 1;
                    entry.tally.shortened += u64::from(measured.shortened.is_some());
                    observation.measured.push(measured);
                }
                Err(error) => {
                    entry.tally.failed += 1;
                    observation.failed.push((measured.probe, error));
                }
            }
        }
        true
    }
}
