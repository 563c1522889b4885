//! What a run asks for and what its budget supplies: planned once, and told in a sentence.

use crate::cost::Cost;
use crate::entry::{Entry, Required};
use crate::moment::Moment;
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::workload::{Known, Sample};

/// Seconds of training for which one round of measurements may save up, where the length of the run is not known.
const HORIZON: f64 = 60.0;

/// A probe that is due more often waits, rather than that the sample of all is made smaller for it.
const OFTEN: usize = 16;

/// The part of the supply that is planned with: measurements take longer than was thought more often than not.
const SAFE: f64 = 0.9;

/// What a probe asks for: measurements still to come, and what one takes.
struct Demand {
    name: String,
    /// How often it is measured whatever the budget.
    required: usize,
    /// How often it is measured otherwise.
    free: usize,
    at_end: bool,
    cost: Cost,
}

/// The plan of a run whose training takes `training` seconds, of which `spent` seconds of probes are gone; what is told of it, and the warnings.
/// Makes `samples` smaller, if that is allowed, where what is asked for does not fit.
pub(crate) fn planned<M>(
    entries: &[Entry<M>],
    moment: &Moment<'_, M>,
    samples: Option<&Known>,
    share: f64,
    training: Option<f64>,
    spent: f64,
) -> (Plan, Option<String>, Vec<String>) {
    let allowed = share / (1.0 - share) * training.unwrap_or(HORIZON);
    let asked = demands(entries, moment);
    let required: f64 = sum(&asked, |demand| demand.required, |cost| cost.full);
    let supply = (allowed - spent - required).max(0.0);
    let free = |demand: &Demand| demand.free.min(OFTEN);
    let full = sum(&asked, free, |cost| cost.full);
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
    let now = demands(entries, moment);
    let least = sum(&now, free, |cost| cost.least);
    let more = sum(&now, free, |cost| cost.full - cost.least);
    let stretch = if more > 0.0 {
        ((SAFE * supply - least) / more).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let at_end = |demand: &Demand| demand.at_end && demand.required == 0;
    let once = |cost: &Cost| cost.least + (cost.full - cost.least) * stretch;
    let kept: f64 = now
        .iter()
        .filter(|demand| at_end(demand))
        .map(|demand| once(&demand.cost))
        .sum();
    let plan = Plan {
        supply: training.map_or(0.0, |_| supply),
        stretch,
        at_end: kept.min(0.5 * supply),
    };
    let list: Vec<String> = asked
        .iter()
        .map(|demand| {
            let count = demand.free + demand.required;
            format!("{} {count} x {:.2} s", demand.name, demand.cost.full)
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

fn demands<M>(entries: &[Entry<M>], moment: &Moment<'_, M>) -> Vec<Demand> {
    let total = moment.total_steps;
    let demand = |entry: &Entry<M>| {
        let to_come = to_come_of(&entry.schedule, moment.step, total).unwrap_or(1);
        let due_at_end = total.is_some_and(|end| entry.schedule.due(end, total).unwrap_or(false));
        let count = to_come + usize::from(entry.waits);
        let required = match entry.required {
            Required::Always => count,
            Required::AtEnd => usize::from(due_at_end),
            Required::Never => 0,
        };
        Some(Demand {
            name: entry.name().to_owned(),
            required,
            free: count - required.min(count),
            at_end: due_at_end,
            cost: entry.cost(moment).filter(|_| count > 0)?,
        })
    };
    entries.iter().filter_map(demand).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of measurements")]
fn sum(demands: &[Demand], count: impl Fn(&Demand) -> usize, of: impl Fn(&Cost) -> f64) -> f64 {
    let seconds = |demand: &Demand| count(demand) as f64 * of(&demand.cost);
    demands.iter().map(seconds).sum()
}

/// How often a schedule is due after `step`, where that is known.
fn to_come_of(schedule: &Schedule, step: u64, total: Option<u64>) -> Option<usize> {
    let steps = schedule.steps(total).ok()?;
    Some(steps.into_iter().filter(|due| *due > step).count())
}

/// What the measurements still to come will take, told once for each probe, after its first one; `None` if it is nothing to speak of.
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
