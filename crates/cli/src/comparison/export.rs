//! Runs as a table for other programs: a line for each run, numbers as they are.

use super::Comparison;
use super::measure::{radius, residual, trace_error};
use super::settings::{method, that_differ};

/// Returns the runs as RFC 4180 has it, with a header. The settings in which runs differ have
/// columns of their own, under the names of workspace.toml. Numbers that are not finite are `NaN`,
/// `inf` and `-inf`.
///
/// # Errors
/// When it cannot be encoded.
pub(crate) fn csv(comparison: &Comparison) -> anyhow::Result<String> {
    let runs = &comparison.runs;
    let plans: Vec<_> = runs.iter().map(|run| &run.summary.config).collect();
    let differ = that_differ(&plans);
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let mut header: Vec<String> = ["run", "directory", "group", "status", "method"]
        .map(str::to_owned)
        .into();
    header.extend(differ.iter().map(|(key, _)| key.clone()));
    header.push("seed".to_owned());
    let measures = comparison.measures();
    header.extend(measures.iter().map(|measure| measure.key()));
    let notes = [
        "lambda_1_residual",
        "lambda_1_converged",
        "unresolved_products",
        "trace_standard_error",
        "sam_sharpness_rho",
        "seconds",
        "probe_fraction",
    ];
    header.extend(notes.map(str::to_owned));
    writer.write_record(&header)?;
    for (position, run) in runs.iter().enumerate() {
        let summary = &run.summary;
        let of = |members: &super::Members| {
            let mut all = members.runs.iter().chain(&members.repeated);
            all.any(|member| *member == position)
        };
        let group = comparison.members.iter().position(of);
        let group = group.expect("every run is in a group");
        let mut line = vec![
            run.name.clone(),
            run.directory.display().to_string(),
            comparison.groups[group].name.clone(),
            summary.status.clone(),
            method(&summary.config),
        ];
        line.extend(differ.iter().map(|(_, values)| values[position].clone()));
        line.push(summary.config.seed.to_string());
        let figures = &summary.figures;
        // What was not measured has no number.
        let unless_absent = |absent: bool, number: f64| match absent {
            true => String::new(),
            false => number.to_string(),
        };
        line.extend(
            measures
                .iter()
                .map(|measure| unless_absent(measure.is_absent(figures), measure.of(figures))),
        );
        line.extend([
            unless_absent(figures.lambda_1.is_none(), residual(figures)),
            figures
                .lambda_1
                .map_or_else(String::new, |lambda| lambda.converged.to_string()),
            summary.hessian.unresolved_products.to_string(),
            unless_absent(figures.trace.is_none(), trace_error(figures)),
            radius(figures).map_or_else(String::new, |rho| rho.to_string()),
            summary.times.seconds.to_string(),
            summary.times.probe_fraction.to_string(),
        ]);
        writer.write_record(&line)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8(bytes)?)
}
