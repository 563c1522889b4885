//! JSON.

use serde_json::{Map, Value, json};

use super::{Column, Points, Samples};
use crate::{Error, json_number, json_numbers};

/// Returns an object with `axes` (of a grid) or `coordinates` (of a sequence), `quantities`,
/// `order` and the notes. Axes and quantities are lists of objects with `name` and `values`.
/// Numbers that are not finite are the texts `"NaN"`, `"inf"` and `"-inf"`; the values of a point
/// that was not measured are `null`.
///
/// # Errors
/// [`Error::Slice`] for columns whose lengths or names do not fit.
///
/// # Examples
/// ```
/// use probes::export::{Column, Samples, json};
///
/// let a = [Column::new("a", vec![-1.0, 1.0])];
/// let line = Samples::on_grid(a, [("loss", vec![0.5, f64::INFINITY])]);
/// assert_eq!(
///     json(&line)?["quantities"][0]["values"],
///     serde_json::json!([0.5, "inf"])
/// );
/// # Ok::<(), probes::Error>(())
/// ```
pub fn json(samples: &Samples) -> Result<Value, Error> {
    samples.check()?;
    let mut document = Map::new();
    for (name, text) in &samples.notes {
        document.insert(name.clone(), json!(text));
    }
    let columns: Value = samples
        .columns()
        .iter()
        .map(|Column { name, values }| json!({ "name": name, "values": json_numbers(values) }))
        .collect();
    let order = match &samples.points {
        Points::Grid { axes } => {
            document.insert("axes".to_owned(), columns);
            match &axes[..] {
                [first, second] => format!(
                    "values[i * {} + j] belongs to {}[i] and {}[j]",
                    second.values.len(),
                    first.name,
                    second.name
                ),
                _ => format!("values[i] belongs to {}[i]", axes[0].name),
            }
        }
        Points::Sequence { .. } => {
            document.insert("coordinates".to_owned(), columns);
            "values[i] belongs to the i-th of each coordinate".to_owned()
        }
    };
    document.insert("order".to_owned(), json!(order));
    let value = |(value, recorded): (&f64, &bool)| match recorded {
        true => json_number(*value),
        false => Value::Null,
    };
    let quantities: Value = samples
        .quantities
        .iter()
        .map(|Column { name, values }| {
            let values: Value = values.iter().zip(&samples.recorded).map(value).collect();
            json!({ "name": name, "values": values })
        })
        .collect();
    document.insert("quantities".to_owned(), quantities);
    Ok(Value::Object(document))
}
