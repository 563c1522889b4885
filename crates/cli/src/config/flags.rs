//! Flags against the trainings that they are meant for.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::{Method, name};
use super::moment::Moments;
use super::settings::Settings;
use super::training::Training;
use crate::failure::usage;
use crate::report::number::plain_number;

/// Refuses a flag for something that no training has.
///
/// # Errors
/// A usage error that names the flag.
pub(super) fn check_flags(flags: &Settings, trainings: &[Training]) -> anyhow::Result<()> {
    let methods: Vec<Method> = trainings
        .iter()
        .map(|training| training.plan.method)
        .collect();
    if flags.rho.is_some() && methods.iter().all(|method| *method == Method::Plain) {
        let message = "--rho: the method is plain, which has no radius; --method sam, say, has one";
        return Err(usage(message.to_owned()));
    }
    let kinds: Vec<_> = trainings
        .iter()
        .map(|training| {
            let network = training.plan.subject.network();
            (network.map(|network| network.model), training.plan.schedule)
        })
        .collect();
    let useless = flags
        .sam
        .useless(&methods)
        .map(|(key, message)| (vec!["sam", key], message));
    let useless = useless.or_else(|| {
        flags
            .useless(&kinds)
            .map(|(key, message)| (vec![key], message))
    });
    match useless {
        Some((key, message)) => Err(usage(format!("{}: {message}", flag(&key)))),
        None => check_probes(flags, trainings),
    }
}

/// Refuses a flag for the effort of a probe that never observes, or for a moment where there are no
/// probes.
fn check_probes(flags: &Settings, trainings: &[Training]) -> anyhow::Result<()> {
    let probes = &flags.probes;
    let disabled = || {
        trainings
            .iter()
            .all(|training| !training.plan.probes.enabled)
    };
    if let Some(key) = probes.first_given().filter(|_| disabled()) {
        let flag = flag(&["probes", key]);
        return Err(usage(format!(
            "{flag}: there are no probes (--no-probes, or `enabled = false` in the file)"
        )));
    }
    let never = |moments: fn(&Training) -> &Moments| {
        let mut all = trainings.iter().map(moments);
        all.all(|of_one| *of_one == Moments::never())
    };
    let surface = probes.grid.is_some() && never(|t| &t.plan.probes.surface);
    let density = probes.density_starts.is_some() && never(|t| &t.plan.probes.density);
    let (key, probe) = match (surface, density) {
        (true, _) => ("grid", "surface"),
        (_, true) => ("density_starts", "density"),
        _ => return Ok(()),
    };
    Err(usage(format!(
        "{}: the {probe} is never measured; {} end measures it after the last step",
        flag(&["probes", key]),
        flag(&["probes", probe])
    )))
}

/// Returns a key as a flag: `probes.grid` is `--probe-grid`.
pub(super) fn flag(key: &[&str]) -> String {
    let name = key.join("-").replace('_', "-");
    match name.strip_prefix("probes-") {
        Some(probe) => format!("--probe-{probe}"),
        None => format!("--{name}"),
    }
}

/// Returns the first flag for something by which the members of a group differ, and what they say
/// themselves.
pub(super) fn overridden(
    flags: &Settings,
    members: &BTreeMap<String, Settings>,
) -> Option<(&'static str, String)> {
    type Said = fn(&Settings) -> Option<String>;
    let keys: [(&'static str, Said); 15] = [
        ("method", |s| s.method.map(name)),
        ("model", |s| s.model.map(name)),
        ("optimiser", |s| s.optimiser.map(name)),
        ("dataset", |s| s.dataset.clone()),
        ("schedule", |s| s.schedule.map(name)),
        ("seed", |s| s.seed.map(|seed| seed.to_string())),
        ("hidden", |s| s.hidden.as_ref().map(ToString::to_string)),
        ("activation", |s| s.activation.map(name)),
        ("rho", |s| s.rho.map(|rho| plain_number(rho.get()))),
        ("momentum", |s| s.momentum.map(|x| plain_number(x.get()))),
        ("weight_decay", |s| {
            s.weight_decay.map(|x| plain_number(x.get()))
        }),
        ("learning_rate", |s| {
            s.learning_rate.map(|x| plain_number(x.get()))
        }),
        ("epochs", |s| s.epochs.map(|n| n.get().to_string())),
        ("batch_size", |s| s.batch_size.map(|n| n.get().to_string())),
        ("curvature_examples", |s| {
            s.curvature_examples.map(|n| n.get().to_string())
        }),
    ];
    let (key, said) = keys.into_iter().find(|(_, said)| {
        let values: BTreeSet<String> = members.values().filter_map(said).collect();
        said(flags).is_some() && values.len() > 1
    })?;
    let value =
        |(member, settings): (&String, &Settings)| Some(format!("{member}: {}", said(settings)?));
    let values: Vec<String> = members.iter().filter_map(value).collect();
    Some((key, values.join(", ")))
}
