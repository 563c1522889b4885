//! The settings in which trainings differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::Plan;
use crate::config::choice::{Decay, Method, name};

/// The prefix of the keys of a method's settings, the radius aside.
pub(super) const OF_THE_METHOD: &str = "sam.";

/// The entry for a setting that a training does not have.
pub(crate) const NONE: &str = "-";

/// Returns each setting in which the plans differ, with its value in every plan. The seed is none
/// of them, nor what the method is; its radius and its other settings are named even where all
/// agree. A setting that a training has no use for is `-`.
pub(crate) fn that_differ(plans: &[&Plan]) -> Vec<(String, Vec<String>)> {
    let settings: Vec<BTreeMap<String, String>> = plans.iter().map(|plan| of(plan)).collect();
    let keys: BTreeSet<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    let mut found = Vec::new();
    for key in keys {
        let value = |settings: &BTreeMap<String, String>| {
            settings
                .get(key)
                .cloned()
                .unwrap_or_else(|| NONE.to_owned())
        };
        let values: Vec<String> = settings.iter().map(value).collect();
        let of_the_method = key == "rho" || key.starts_with(OF_THE_METHOD);
        if of_the_method || values.iter().any(|value| *value != values[0]) {
            found.push((key.clone(), values));
        }
    }
    // The method's own first.
    found.sort_by_key(|(key, _)| key != "rho" && !key.starts_with(OF_THE_METHOD));
    found
}

/// Returns the method over the optimiser, without its settings.
pub(crate) fn method(plan: &Plan) -> String {
    let optimiser = name(plan.optimiser);
    match plan.method {
        Method::Plain => optimiser,
        method => format!("{} over {optimiser}", name(method)),
    }
}

/// Returns the settings that a training has a use for, as they are shown.
fn of(plan: &Plan) -> BTreeMap<String, String> {
    let document = serde_json::to_value(plan).expect("a plan is written into every summary");
    let mut settings = BTreeMap::new();
    flatten("", &document, &mut settings);
    let dense = plan
        .subject
        .network()
        .is_none_or(|network| network.is_dense());
    let useless = |key: &str| match key {
        "seed" | "method" | "optimiser" => true,
        "rho" => plan.method == Method::Plain,
        "hidden" => !dense,
        "norm_momentum" => !plan.subject.network().is_some_and(|n| n.model.has_norm()),
        "step_epochs" | "step_factor" => plan.schedule != Decay::Step,
        _ => false,
    };
    settings.retain(|key, _| !useless(key));
    settings
}

fn flatten(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let shown = match value {
        Value::Null => return,
        Value::Object(table) => {
            for (key, value) in table {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(&name, value, into);
            }
            return;
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            items.join(",")
        }
        Value::String(text) => text.clone(),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(|| number.to_string(), crate::report::number::plain_number),
        Value::Bool(truth) => truth.to_string(),
    };
    into.insert(name.to_owned(), shown);
}
