//! A table as comma-separated values.

use serde_json::Value;

/// Columns of one length, each with its name. A shorter one has empty cells at its end.
pub(crate) type Table = Vec<(String, Vec<Value>)>;

/// Returns a table as RFC 4180 has it, with a header. A text stands there as it is: `NaN`, `inf`.
pub(crate) fn csv(table: &Table) -> String {
    let line = |cells: Vec<String>| cells.join(",") + "\r\n";
    let mut text = line(table.iter().map(|(name, _)| quoted(name)).collect());
    let rows = table.iter().map(|(_, values)| values.len()).max();
    for row in 0..rows.unwrap_or(0) {
        let cell = |(_, values): &(String, Vec<Value>)| match values.get(row) {
            Some(Value::String(not_finite)) => not_finite.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        text += &line(table.iter().map(cell).collect());
    }
    text
}

fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}
