//! The settings of a run, as TensorBoard shows them: a row of its page HParams, and a table.

use serde_json::Value;
use tensorboard::{Hparams, Setting};

use crate::config::Plan;
use crate::config::choice::{Method, name};
use crate::config::subject::Subject;

/// Returns the settings by which runs are told apart. Every run has the same ones: TensorBoard's
/// parallel coordinates leave out a run that lacks one.
pub(crate) fn hparams(plan: &Plan) -> Hparams {
    let number = |number: f64| Setting::Number(number);
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let count = |count: usize| Setting::Number(count as f64);
    // A method without a radius stays at the weights.
    let rho = match plan.method {
        Method::Plain => 0.0,
        _ => plan.rho.get(),
    };
    let subject = match &plan.subject {
        Subject::Network(network) => vec![
            ("dataset", network.dataset.clone().into()),
            ("model", name(network.model).into()),
            ("hidden", network.hidden.to_string().into()),
            ("activation", name(network.activation).into()),
        ],
        Subject::Own { workload } => vec![("workload", workload.clone().into())],
    };
    let settings: [(&str, Setting); 11] = [
        ("optimiser", name(plan.optimiser).into()),
        ("momentum", number(plan.momentum.get())),
        ("weight_decay", number(plan.weight_decay.get())),
        ("method", name(plan.method).into()),
        ("rho", number(rho)),
        ("learning_rate", number(plan.learning_rate.get())),
        ("schedule", name(plan.schedule).into()),
        ("epochs", count(plan.epochs.get())),
        ("batch_size", count(plan.batch_size.get())),
        ("seed", number(f64::from(plan.seed))),
        ("curvature_examples", count(plan.curvature_examples.get())),
    ];
    Hparams::new(subject.into_iter().chain(settings))
}

/// Returns every setting as a table in markdown, under the names of workspace.toml.
pub(crate) fn markdown(plan: &Plan) -> serde_json::Result<String> {
    let mut text = "| setting | value |\n|---|---|".to_owned();
    add("", &serde_json::to_value(plan)?, &mut text);
    Ok(text)
}

fn add(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(inner) => {
            for (key, value) in inner {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                add(&name, value, text);
            }
        }
        Value::Null => {}
        Value::String(word) => *text += &format!("\n| {name} | {} |", word.replace('|', "\\|")),
        other => *text += &format!("\n| {name} | {other} |"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_settings_have_a_row_each_and_what_is_not_set_has_none() {
        let mut text = String::new();
        let value = serde_json::json!({"a": 1, "b": {"c": "x|y", "d": null, "e": [1, 2]}});
        add("", &value, &mut text);
        assert_eq!(text, "\n| a | 1 |\n| b.c | x\\|y |\n| b.e | [1,2] |");
    }
}
