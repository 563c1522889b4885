//! The numbers behind a picture, as files: JSON and CSV.

use serde_json::{Map, Value, json};

use crate::export::table::{self, Table};

/// A file to be written: its name and its content.
pub(super) type NamedFile = (String, Vec<u8>);

/// The end of the tags of numbers.
const SUFFIX: &str = "_data";

/// Returns the files of a value: `landscape-surface.json` with all that is known, and
/// `landscape-surface.csv` with a row for each point; of a spectral density there is a second
/// table, with a row for each node of the quadrature. Numbers that are not finite are `NaN`, `inf`
/// and `-inf`, in JSON as strings.
pub(super) fn files(tag: &str, step: u64, data: &Value) -> Vec<NamedFile> {
    let stem = tag.strip_suffix(SUFFIX).unwrap_or(tag).replace('/', "-");
    let mut document = Map::new();
    document.insert("step".to_owned(), json!(step));
    match data {
        Value::Object(known) => document.extend(known.clone()),
        other => {
            document.insert("values".to_owned(), other.clone());
        }
    }
    let text = format!("{:#}\n", Value::Object(document));
    let mut files = vec![(format!("{stem}.json"), text.into_bytes())];
    for (ending, table) in tables(data) {
        files.push((
            format!("{stem}{ending}.csv"),
            table::csv(&table).into_bytes(),
        ));
    }
    files
}

/// Returns the tables in what an instrument has found.
fn tables(data: &Value) -> Vec<(&'static str, Table)> {
    let column = |name: &str| data.get(name).and_then(Value::as_array);
    let named = |name: &str, values: &[Value]| (name.to_owned(), values.to_vec());
    let mut tables = Vec::new();
    if let (Some(a), Some(b), Some(loss)) = (column("a"), column("b"), column("loss")) {
        // Row by row: loss[i * b.len() + j] belongs to a[i] and b[j].
        let first: Vec<Value> = a.iter().flat_map(|a| b.iter().map(|_| a.clone())).collect();
        let second: Vec<Value> = a.iter().flat_map(|_| b.iter().cloned()).collect();
        tables.push((
            "",
            vec![named("a", &first), named("b", &second), named("loss", loss)],
        ));
    } else if let (Some(a), Some(curves)) = (column("a"), column("curves")) {
        let mut table = vec![named("a", a)];
        for curve in curves {
            let name = curve.get("name").and_then(Value::as_str);
            let loss = curve.get("loss").and_then(Value::as_array);
            if let (Some(name), Some(loss)) = (name, loss) {
                table.push(named(name, loss));
            }
        }
        tables.push(("", table));
    }
    if let (Some(grid), Some(density)) = (column("grid"), column("density")) {
        let mut table = vec![named("lambda", grid), named("density", density)];
        // One start vector has no spread.
        let errors = column("standard_error");
        if let Some(errors) = errors.filter(|errors| errors.len() == density.len()) {
            table.push(named("standard_error", errors));
        }
        tables.push(("", table));
    }
    if let (Some(nodes), Some(weights)) = (column("nodes"), column("weights")) {
        tables.push((
            "-nodes",
            vec![named("node", nodes), named("weight", weights)],
        ));
    }
    tables
}

#[cfg(test)]
mod tests {
    use crate::record::json_number;

    use super::*;

    fn named(files: &[NamedFile], name: &str) -> String {
        let (_, bytes) = files.iter().find(|(other, _)| other == name).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }

    #[test]
    fn surface_has_a_row_for_each_point_and_keeps_what_is_not_finite() {
        let data = json!({"a": [-1.0, 1.0], "b": [0.0, 0.5], "loss": [1.0, json_number(f64::NAN), json_number(f64::INFINITY), 1e300]});
        let files = files("landscape/surface_data", 7, &data);
        assert_eq!(
            named(&files, "landscape-surface.csv"),
            "a,b,loss\r\n-1.0,0.0,1.0\r\n-1.0,0.5,NaN\r\n1.0,0.0,inf\r\n1.0,0.5,1e+300\r\n"
        );
        let json: Value = serde_json::from_str(&named(&files, "landscape-surface.json")).unwrap();
        assert_eq!(json["step"], 7);
        assert_eq!(json["loss"], data["loss"]);
    }

    #[test]
    fn names_of_curves_are_quoted_where_they_must_be() {
        let data = json!({"a": [0.0], "curves": [{"name": "train, \"all\"", "loss": [2.0]}]});
        let files = files("landscape/line_data", 0, &data);
        assert_eq!(
            named(&files, "landscape-line.csv"),
            "a,\"train, \"\"all\"\"\"\r\n0.0,2.0\r\n"
        );
    }

    #[test]
    fn density_has_a_table_of_its_grid_and_one_of_its_nodes() {
        let data = json!({"nodes": [1.0], "weights": [1.0], "grid": [0.0, 1.0], "density": [0.5, 0.5], "sigma": 0.1});
        let files = files("curvature/density_data", 0, &data);
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "curvature-density.json",
                "curvature-density.csv",
                "curvature-density-nodes.csv"
            ]
        );
        let mut data = data;
        data["standard_error"] = json!([0.25, 0.125]);
        assert_eq!(
            named(
                &super::files("curvature/density_data", 0, &data),
                "curvature-density.csv"
            ),
            "lambda,density,standard_error\r\n0.0,0.5,0.25\r\n1.0,0.5,0.125\r\n"
        );
    }
}
