//! The table of a dry run: what each training would take.

use comfy_table::CellAlignment;

use crate::engine::dry_run::Estimate;
use crate::report::forecast;
use crate::report::number::significant;
use crate::report::output::printable;
use crate::report::table::{plain, trimmed};

/// Returns the table, a column for each training.
pub(crate) fn table(estimates: &[Estimate]) -> String {
    let mut table = plain();
    let mut header = vec![String::new()];
    header.extend(estimates.iter().map(|e| printable(&e.name).into_owned()));
    table.set_header(header);
    let mut add = |label: &str, cell: &dyn Fn(&Estimate) -> String| {
        let mut row = vec![label.to_owned()];
        row.extend(estimates.iter().map(cell));
        table.add_row(row);
    };
    add("method", &|e| e.method.clone());
    add("parameters", &|e| e.parameters.to_string());
    add("training examples", &|e| e.examples[0].to_string());
    add("validation, test examples", &|e| {
        format!("{}, {}", e.examples[1], e.examples[2])
    });
    add("  sample for curvature", &|e| {
        e.curvature_examples.to_string()
    });
    add("steps", &|e| e.steps.to_string());
    add("  in an epoch", &|e| e.steps_per_epoch.to_string());
    add("training takes about", &|e| seconds(e.training_seconds));
    add("  a step", &|e| {
        format!("{} ms", significant(1e3 * e.step_seconds, 2))
    });
    add("probes take about", &|e| seconds(e.probe_seconds));
    let mut probes: Vec<&str> = Vec::new();
    for probe in estimates.iter().flat_map(|e| &e.probes) {
        if !probes.contains(&probe.probe) {
            probes.push(probe.probe);
        }
    }
    for name in probes {
        add(&format!("  {name}"), &|e| {
            let probe = e.probes.iter().find(|probe| probe.probe == name);
            probe.map_or_else(
                || "never".to_owned(),
                |probe| format!("{}, {}", times(probe.times), seconds(probe.seconds)),
            )
        });
    }
    add("together about", &|e| seconds(e.seconds()));
    add("disk about", &|e| bytes(e.bytes()));
    add("  checkpoints", &|e| {
        format!("{} of {}", e.checkpoints, bytes(e.checkpoint_bytes))
    });
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    trimmed(&table)
}

/// Returns a number of seconds, with a decimal where they are few.
fn seconds(seconds: f64) -> String {
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else {
        forecast::seconds(seconds)
    }
}

fn times(times: usize) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

/// Returns a number of bytes in the unit that suits it.
fn bytes(bytes: usize) -> String {
    let bytes = bytes as f64;
    match bytes {
        bytes if bytes < 1e6 => format!("{:.0} kB", bytes / 1e3),
        bytes if bytes < 1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}
