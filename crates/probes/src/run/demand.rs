//! The demand of the probes of a run, set against the supply of its budget.

use super::entry::{Entry, Required};
use crate::budget::MeasuringCost;
use crate::budget::{Part, Plan, divided, fair};
use crate::probe::Moment;
use crate::schedule::Schedule;
use crate::workload::{KnownRisks, Sample};

/// Seconds of training for which one round of measurements may save up, where the length of the run
/// is not known.
const HORIZON: f64 = 60.0;

/// A probe that is due more often waits, rather than that the sample of all is made smaller for it.
const OFTEN: usize = 16;

/// The part of the supply that is planned with: measurements take longer than was thought more
/// often than not.
const SAFE: f64 = 0.9;

/// The part of what is saved up that is given out before the end: the rest is for the end, and for
/// what takes longer than was thought.
const SHARED: f64 = 0.7;

/// A part of the supply that holds fewer measurements than this is for one: two, as far as
/// estimates can be trusted.
const FEW: f64 = 1.9;

/// The demand of one probe.
struct Demand {
    name: String,
    /// The number of measurements made whatever the budget.
    required: usize,
    /// The number of other measurements.
    free: usize,
    /// The trained model is among these.
    at_end: bool,
    /// Seconds of those that were made.
    spent: f64,
    /// The cost of one measurement; `None` if nobody knows yet.
    cost: Option<MeasuringCost>,
}

impl Demand {
    /// Seconds of its free measurements, with those that were made.
    fn wants(&self) -> f64 {
        let to_come = match &self.cost {
            _ if self.free == 0 => 0.0,
            Some(cost) => count(self.free) * cost.full,
            None => f64::INFINITY,
        };
        self.spent + to_come
    }

    /// Tells whether `given` seconds are enough for one more of them only, and the trained model's
    /// is still to come.
    fn saves_for_end(&self, given: f64) -> bool {
        let left = given - self.spent;
        let few = |cost: MeasuringCost| left < FEW * cost.least;
        self.at_end && left > 0.0 && self.cost.is_some_and(few)
    }

    /// Seconds that have to be set aside for one more of them, with those that were made; where
    /// nobody knows, these alone.
    fn one(&self) -> f64 {
        self.spent + self.cost.map_or(0.0, |cost| cost.least / SHARED)
    }
}

/// Returns the plan of a run whose training takes `training` seconds, of which `spent` seconds of
/// probes are gone; what is told of it, and the warnings. Makes `samples` smaller, if that is
/// allowed, where what is asked for does not fit.
pub(crate) fn planned<M>(
    entries: &[Entry<M>],
    moment: &Moment<'_, M>,
    samples: Option<&KnownRisks>,
    share: f64,
    training: Option<f64>,
    spent: f64,
) -> (Plan, Option<String>, Vec<String>) {
    let allowed = share / (1.0 - share) * training.unwrap_or(HORIZON);
    let asked = demands(entries, moment);
    let known_costs = || {
        asked
            .iter()
            .filter_map(|demand| Some((demand, demand.cost?)))
    };
    let supply = (allowed - spent).max(0.0);
    let full: f64 = known_costs()
        .map(|(demand, cost)| count(demand.free.min(OFTEN)) * cost.full)
        .sum();
    let mut warnings = Vec::new();
    if let Some(known) = samples.filter(|_| full > SAFE * supply) {
        // The trials of other samples fail as the measurement will, and it says why.
        for Sample { examples, given } in known.shrink(SAFE * supply / full).unwrap_or_default() {
            warnings.push(format!(
                "to keep to {} % of the time, a sample of {examples} of the {given} examples is measured; give the risk fewer \
                 examples, or a larger budget, to choose yourself",
                100.0 * share
            ));
        }
    }
    let plan = Plan {
        supply: training.map_or(0.0, |_| supply),
        parts: parts(entries, moment, supply, training.is_some()),
    };
    let list: Vec<String> = known_costs()
        .map(|(demand, cost)| {
            let count = demand.free + demand.required;
            format!("{} {count} x {:.2} s", demand.name, cost.full)
        })
        .collect();
    let told = match training {
        Some(training) => format!(
            "{} % of a training of {training:.0} s allow {allowed:.1} s; asked for: {}",
            100.0 * share,
            list.join(", ")
        ),
        None => format!("one round asks for {}", list.join(", ")),
    };
    (plan, (!list.is_empty()).then_some(told), warnings)
}

/// Divides `supply`, the seconds that the probes of the whole run have, those among them that are
/// spent; `has_end` where it is known when the run ends.
pub(crate) fn parts<M>(
    entries: &[Entry<M>],
    moment: &Moment<'_, M>,
    supply: f64,
    has_end: bool,
) -> Vec<Part> {
    let demands = demands(entries, moment);
    // In a run without an end, whatever is saved up is enough some time.
    let given = if has_end {
        let wants = demands.iter().map(|demand| (demand.one(), demand.wants()));
        divided(SAFE * supply, &wants.collect::<Vec<_>>())
    } else {
        let wants = demands.iter().map(Demand::wants);
        fair(SAFE * supply, &wants.collect::<Vec<_>>())
    };
    let saves = |(demand, given): (&Demand, &f64)| demand.saves_for_end(*given);
    let savers: Vec<bool> = demands.iter().zip(&given).map(saves).collect();
    let early = given.iter().zip(&savers).filter(|(_, saves)| !**saves);
    let all: f64 = early.map(|(given, _)| given).sum();
    // What is for the end is there at the end if the others keep to their parts.
    let is_kept = savers.contains(&true);
    let parts = demands.iter().zip(given).zip(savers);
    let parts = parts.map(|((demand, given), saves_for_end)| Part {
        share: if all > 0.0 { SHARED * given / all } else { 0.0 },
        most: if is_kept { given } else { f64::INFINITY },
        each: (given - demand.spent) / count(demand.free.max(1)),
        saves_for_end,
    });
    parts.collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of measurements")]
fn count(measurements: usize) -> f64 {
    measurements as f64
}

/// Returns what each probe asks for, in their order.
fn demands<M>(entries: &[Entry<M>], moment: &Moment<'_, M>) -> Vec<Demand> {
    let total = moment.total_steps;
    let demand = |entry: &Entry<M>| {
        let to_come = to_come_of(&entry.schedule, moment.step, total).unwrap_or(1);
        let is_due_at_end = total.is_some_and(|end| {
            let due = entry.schedule.due(end, total);
            due.expect("the total is known")
        });
        let times = to_come + usize::from(entry.waits);
        let required = match entry.required {
            Required::Always => times,
            Required::AtEnd => usize::from(is_due_at_end),
            Required::Never => 0,
        };
        let free = times.saturating_sub(required);
        Demand {
            name: entry.name().to_owned(),
            required,
            free,
            at_end: is_due_at_end && entry.required == Required::Never,
            spent: entry.spent,
            // What is measured in any case needs no trial of its data.
            cost: (free > 0).then(|| entry.cost(moment)).flatten(),
        }
    };
    entries.iter().map(demand).collect()
}

/// Counts how often a schedule is due after `step`, where that is known.
fn to_come_of(schedule: &Schedule, step: u64, total: Option<u64>) -> Option<usize> {
    let steps = schedule.steps(total).ok()?;
    Some(steps.into_iter().filter(|due| *due > step).count())
}

/// Tells what the measurements still to come will take, told once for each probe, after its first
/// one; `None` if it is nothing to speak of.
#[expect(clippy::cast_precision_loss, reason = "a number of measurements")]
pub(crate) fn to_come<M>(
    entries: &mut [Entry<M>],
    step: u64,
    total: Option<u64>,
) -> Option<String> {
    let mut news = false;
    let mut seconds = 0.0;
    let mut list = Vec::new();
    for entry in entries.iter_mut() {
        let Some(last) = entry.last else { continue };
        news |= !std::mem::replace(&mut entry.foretold, true);
        let Some(count) = to_come_of(&entry.schedule, step, total).filter(|count| *count > 0)
        else {
            continue;
        };
        seconds += count as f64 * last;
        list.push(format!("{} {count} x {last:.2} s", entry.name()));
    }
    (news && seconds > 2.0)
        .then(|| format!("still to come: {}, some {seconds:.0} s", list.join(", ")))
}
