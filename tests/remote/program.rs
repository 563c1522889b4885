//! The program with `--devices`, beside itself without.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::server::Server;

/// A folder with a workspace.toml, removed when the test ends.
pub(crate) struct Workplace(TempDir);

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

const WORKSPACE: &str = r#"
[defaults]
dataset = "digits"
hidden = [16]
epochs = 1
batch_size = 64
curvature_examples = 256

[defaults.probes]
gradient = "never"
eigenvalues = "never"
trace = "never"
sharpness = "never"

[datasets.digits]
source = "digits"

[runs.one]
description = "one training"
"#;

impl Workplace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("workspace.toml"), WORKSPACE).unwrap();
        Self(folder)
    }

    /// Returns one with a finished run.
    pub(crate) fn with_a_run() -> Self {
        let place = Self::new();
        let ended = place.landscape(&["run", "one"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        place
    }

    /// Runs the program to its end.
    pub(crate) fn landscape(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_landscape"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("LANDSCAPE_TOKEN")
            .output()
            .unwrap();
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Returns the folders of measurements that are in the directory of a run.
    pub(crate) fn left(&self, run: &str) -> Vec<String> {
        let folder = fs::read_dir(self.0.path().join(run)).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("spectrum")).collect()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(Path::new(name))).unwrap()
    }
}

/// The numbers after a key of a document, in their order.
fn numbers(document: &str, key: &str) -> Vec<f64> {
    let key = format!("\"{key}\":");
    let parts = document.split(&key).skip(1);
    let number = |part: &str| {
        let end = part.find([',', '}', '\n']).unwrap();
        part[..end].trim().parse().unwrap()
    };
    parts.map(number).collect()
}

#[test]
fn a_spectrum_over_two_servers_is_that_of_this_machine() {
    let place = Workplace::with_a_run();
    let servers = Server::several(2);
    let devices = format!("{},{}", servers[0].address, servers[1].address);
    let documents = [None, Some(&*devices), Some("flex,flex")].map(|devices| {
        let mut arguments = vec!["spectrum", "runs/one", "--overwrite", "--json"];
        if let Some(devices) = devices {
            arguments.extend(["--devices", devices]);
        }
        let ended = place.landscape(&arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    });
    let (_, top) = documents[0].split_once("\"top\":").unwrap();
    let largest = numbers(top, "value")[0];
    let values = documents.map(|document| numbers(&document, "value"));
    for other in &values[1..] {
        assert_eq!(values[0].len(), other.len());
        for (a, b) in values[0].iter().zip(other) {
            // Residuals are allowed 1e-5 of the largest eigenvalue.
            assert!((a - b).abs() <= 2e-5 * largest, "{a} and {b}");
        }
    }
}

#[test]
fn every_command_that_measures_takes_devices() {
    let place = Workplace::with_a_run();
    let server = Server::start(&[]);
    let commands: [&[&str]; 6] = [
        &["sharpness", "runs/one"],
        &["critical", "runs/one", "--starts", "2", "--steps", "10"],
        &["line", "runs/one", "--points", "3"],
        &["surface", "runs/one", "--grid", "3"],
        &["measure", "runs/one", "--eigenvalues", "1"],
        &["analyze", "runs/one", "--depth", "quick"],
    ];
    for command in commands {
        let devices = format!("{},flex", server.address);
        let arguments = [command, &["--devices", &devices]].concat();
        let ended = place.landscape(&arguments);
        assert_eq!(ended.code, Some(0), "{command:?} {ended:?}");
        assert!(!ended.err.contains("note:"), "{}", ended.err);
    }
    assert!(!place.file("runs/one/summary.json").is_empty());
}
