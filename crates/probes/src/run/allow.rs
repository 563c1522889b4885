//! The measurements that the budget allows at one step.

use super::demand::{parts, planned};
use super::entry::Entry;
use super::measurer::{Allowed, Measurer, Told};
use super::message::Message;
use super::observation::Observation;
use crate::budget::{MeasuringCost, affords_trial, allot, at_end};
use crate::probe::{Moment, Run};
use crate::workload::Hessians;

impl<M> Measurer<M> {
    /// Returns what each entry may do now: `None` if it is not due or has to wait; and the seconds
    /// that all of it together may take, infinite without a limit.
    pub(super) fn allowed(
        &mut self,
        step: u64,
        model: &M,
        told: Told<'_>,
        hessians: &Hessians,
        observation: &mut Observation,
    ) -> (Vec<Option<Allowed>>, f64) {
        let unlimited = |entry: &Entry<M>| entry.waits.then_some(Allowed(None));
        let Some(share) = self.budget.share() else {
            let all = self.entries.iter().map(unlimited).collect();
            return (all, f64::INFINITY);
        };
        let is_end = self.total_steps == Some(step);
        let required = |entry: &Entry<M>| unlimited(entry).filter(|_| entry.required.now(is_end));
        let mut allowed: Vec<_> = self.entries.iter().map(required).collect();
        let Some(training) = self.pace.known(is_end) else {
            return (allowed, 0.0);
        };
        let charged = self.inside.as_secs_f64() - self.required;
        let allowed_by_now = self.budget.allowed(training);
        let saved = allowed_by_now.expect("the budget has a limit") - charged;
        let projected = self.pace.projected(self.total_steps);
        let supply = projected.and_then(|training| self.budget.allowed(training));
        if self.plan.is_none()
            && !affords_trial(saved, supply, self.pace.each().unwrap_or(training))
        {
            return (allowed, 0.0);
        }
        let started = (self.clock)();
        let moment = Moment {
            total_steps: self.total_steps,
            learning_rate: told.learning_rate,
            optimiser: told.optimiser,
            run: Run {
                interrupt: self.interrupt.as_deref(),
                shared: Some((&self.known, hessians)),
                progress: None,
            },
            ..Moment::new(step, model)
        };
        let spent: f64 = self.entries.iter().map(|entry| entry.spent).sum();
        if let Some(plan) = &mut self.plan {
            // What a first measurement has taught of the costs may allow more, or less.
            if let Some(supply) = supply.filter(|_| std::mem::take(&mut self.learned)) {
                plan.parts = parts(&self.entries, &moment, supply - (charged - spent), true);
            }
        } else {
            let (plan, told, warnings) = planned(
                &self.entries,
                &moment,
                self.samples.then_some(&self.known),
                share,
                projected,
                charged,
            );
            if let Some(told) = &told {
                (self.handler)(&Message::Plan(told));
            }
            observation.warnings.extend(warnings);
            self.plan = Some(plan);
        }
        let plan = self.plan.as_ref().expect("it was made");
        let progress = match self.total_steps {
            _ if is_end => 1.0,
            #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
            Some(total) => (step as f64 / total as f64).min(1.0),
            None => 0.0,
        };
        // The trials that a plan takes are paid for as well.
        let tried = (self.clock)().saturating_sub(started).as_secs_f64();
        let all = saved + plan.credit(progress) - tried;
        let mut left = all;
        let income = left + spent;
        let mut asking = Vec::new();
        for (index, (entry, part)) in self.entries.iter_mut().zip(&plan.parts).enumerate() {
            if !entry.waits || allowed[index].is_some() {
                continue;
            }
            if part.saves_for_end && !is_end {
                continue;
            }
            // At the end nobody has anything to save for.
            let own = if is_end {
                left
            } else {
                left.min((part.share * income).min(part.most) - entry.spent)
            };
            if entry.asks.is_some_and(|least| own < least) {
                continue;
            }
            let cost = entry.cost(&moment);
            entry.asks = cost.map(|cost| cost.least).filter(|_| !is_end);
            match cost {
                Some(cost) if is_end => asking.push((index, cost)),
                Some(MeasuringCost { least, full }) if least <= own => {
                    let given = part.each.clamp(least, full).min(own);
                    left -= given;
                    allowed[index] = Some(Allowed(Some(given)));
                }
                // Nobody knows yet what it takes.
                None if own > 0.0 => allowed[index] = Some(Allowed(None)),
                _ => {}
            }
        }
        // Who saved for the end comes first, and of these who has measured nothing yet.
        asking.sort_by_key(|(index, _)| match plan.parts[*index].saves_for_end {
            true => (0, self.entries[*index].last.is_some()),
            false => (1, false),
        });
        let costs: Vec<MeasuringCost> = asking.iter().map(|(_, cost)| *cost).collect();
        for ((index, _), given) in asking.into_iter().zip(allot(at_end(left), &costs)) {
            allowed[index] = given.map(|seconds| Allowed(Some(seconds)));
        }
        (allowed, all)
    }
}
