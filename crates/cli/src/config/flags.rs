//! Flags against the trainings that they are meant for.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Method;
use super::moment::Moments;
use super::settings::Settings;
use super::training::Training;
use crate::failure::usage;

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

/// Settings by which the members of a group may differ, in the order in which they are named.
const TELLING: [&str; 24] = [
    "method",
    "model",
    "optimiser",
    "dataset",
    "schedule",
    "seed",
    "hidden",
    "activation",
    "rho",
    "momentum",
    "weight_decay",
    "learning_rate",
    "epochs",
    "batch_size",
    "curvature_examples",
    "initialisation",
    "init_scale",
    "init_bias",
    "rescale",
    "depth",
    "norm_momentum",
    "random_labels",
    "examples",
    "clip",
];

/// Returns the first flag for something by which the members of a group differ, and what they say
/// themselves.
pub(super) fn overridden(
    flags: &Settings,
    members: &BTreeMap<String, Settings>,
) -> Option<(&'static str, String)> {
    let key = TELLING.into_iter().find(|key| {
        let said = members.values().filter_map(|member| member.said(key));
        flags.has(&[key]) && said.collect::<BTreeSet<String>>().len() > 1
    })?;
    let value = |(member, settings): (&String, &Settings)| {
        Some(format!("{member}: {}", settings.said(key)?))
    };
    let values: Vec<String> = members.iter().filter_map(value).collect();
    Some((key, values.join(", ")))
}
