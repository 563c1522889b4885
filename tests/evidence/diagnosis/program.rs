//! The program `landscape`, and what it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use probes::diagnosis::{Diagnosis, Facts};
use probes::{Record, Value};
use serde_json::Value as Json;
use tensorboard::{existing_event_files, read_events};

use super::{Case, Outcome};

/// The settings of all trainings: the instruments of a run without its pictures, on few examples.
const WORKSPACE: &str = r#"
[defaults]
log_every = 1
curvature_examples = 64
weight_decay = 0.0

[defaults.probes]
loss = "log 8 + end"
gradient = "log 8 + start + end"
eigenvalues = "log 4 + start"
eigenvalue_count = 1
trace = "end"
sharpness = "log 4"
stability = "log 4 + start"
activations = "log 8 + start + end"
updates = "log 8 + start + end"
batch_norm_gap = "log 8 + end"
weights = "start + end"
layers = "start"
interpolation = "end"
line = "end"
density = "never"
surface = "never"

[datasets.digits]
source = "digits"

[datasets.mnist-subset]
source = "mnist-subset"
validation = 0.1
"#;

/// A network on its data, with settings that train it well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// The MLP on digits.
    Mlp,
    /// The CNN on digits.
    Cnn,
    /// Another, which says everything.
    Other,
}

impl Network {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mlp => "MLP",
            Self::Cnn => "CNN",
            Self::Other => "",
        }
    }

    /// Returns the settings, over which those of a failure are put.
    const fn settings(self) -> &'static str {
        match self {
            Self::Mlp => {
                "--dataset digits --model mlp --hidden 64,32 --learning-rate 0.1 --epochs 10 --batch-size 32"
            }
            Self::Cnn => {
                "--dataset digits --model cnn --learning-rate 0.05 --epochs 10 --batch-size 32"
            }
            Self::Other => "",
        }
    }
}

/// The program, and the folder in which it works.
pub(super) struct Program {
    path: PathBuf,
    folder: PathBuf,
}

/// What came of a remedy.
pub(super) struct Remedied {
    /// Whether the validation loss fell.
    pub(super) helped: bool,
    /// It after the remedy; none where the training diverged.
    pub(super) loss: Option<f64>,
}

impl Program {
    /// Finds the program beside this one.
    pub(super) fn find(folder: &Path) -> Result<Self> {
        let own = std::env::current_exe().context("this program does not know where it lies")?;
        let path = own.with_file_name(format!("landscape{}", std::env::consts::EXE_SUFFIX));
        ensure!(
            path.is_file(),
            "{} is not there; build it: cargo build --release -p cli --bin landscape",
            path.display()
        );
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let workspace = folder.join("workspace.toml");
        fs::write(&workspace, WORKSPACE)
            .with_context(|| format!("cannot write {}", workspace.display()))?;
        Ok(Self {
            path,
            folder: folder.to_owned(),
        })
    }

    /// Trains a case with a seed, and tries the remedy of its first finding if that is asked for.
    pub(super) fn train(&self, case: &Case, seed: u64) -> Result<Outcome> {
        let name: String = case
            .row
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let folder = format!("{name}-{seed}");
        let seed = seed.to_string();
        let mut flags = vec!["train", "--output", &folder, "--overwrite", "--seed", &seed];
        let settings = over(case.network.settings(), &case.settings);
        flags.extend(settings.iter().map(String::as_str));
        let output = self.run(&flags)?;
        let place = self.folder.join(&folder);
        let Some(diagnosis) = diagnosis(&place)? else {
            bail!(
                "{}, seed {seed}: the program left no diagnosis: {}",
                case.row,
                String::from_utf8_lossy(&output.stderr)
            );
        };
        let loss = validation_loss(&place)?;
        let mut findings = diagnosis.findings.iter();
        let has_finding = findings.any(|finding| finding.severity >= case.least);
        let remedied = match case.tried && has_finding {
            true => self.remedy(&folder)?,
            false => None,
        };
        Ok(Outcome {
            diagnosis,
            facts: facts(&place)?,
            loss,
            remedied,
        })
    }

    /// Tries the first remedy of the first finding; nothing where it is no change of settings.
    fn remedy(&self, folder: &str) -> Result<Option<Remedied>> {
        let output = self.run(&["try", folder, "--overwrite", "--json"])?;
        let document: Json = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{folder}: `try` printed no document"))?;
        if let Some(error) = document.get("error") {
            let message = error["message"].as_str().unwrap_or_default();
            ensure!(
                message.contains("change of settings"),
                "{folder}: try failed: {message}"
            );
            return Ok(None);
        }
        Ok(Some(Remedied {
            helped: document["effect"] == "helped",
            loss: document["after"]["validation_loss"].as_f64(),
        }))
    }

    fn run(&self, flags: &[&str]) -> Result<Output> {
        // Many run at once, each on a core of its own.
        let mut command = Command::new(&self.path);
        command
            .args(flags)
            .current_dir(&self.folder)
            .env("RAYON_NUM_THREADS", "1");
        command
            .output()
            .with_context(|| format!("{} cannot be run", self.path.display()))
    }
}

/// Returns settings with others over them.
fn over(base: &str, changes: &str) -> Vec<String> {
    let mut all: Vec<[String; 2]> = Vec::new();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    for pair in [words(base), words(changes)].concat().chunks_exact(2) {
        let [flag, value] = [pair[0].clone(), pair[1].clone()];
        match all.iter_mut().find(|[known, _]| *known == flag) {
            Some([_, old]) => *old = value,
            None => all.push([flag, value]),
        }
    }
    all.concat()
}

/// Returns the findings of a run.
fn diagnosis(run: &Path) -> Result<Option<Diagnosis>> {
    let path = run.join("diagnosis.json");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(None);
    };
    let read = serde_json::from_str(&text);
    read.map(Some)
        .with_context(|| format!("{} cannot be read", path.display()))
}

/// Returns the facts that the rule for several seeds asks for, from the events of a run.
fn facts(run: &Path) -> Result<Facts> {
    let mut facts = Facts::new().with_classes(10);
    for file in existing_event_files(run)? {
        let events = read_events(&file)?;
        for tag in ["loss/train", "loss/valid", "accuracy/valid"] {
            for (step, value) in events.scalars(tag) {
                let (tag, value) = (tag.to_owned(), Value::Scalar(f64::from(value)));
                let step = u64::try_from(step).context("a step below 0")?;
                facts.observe(&Record { tag, step, value });
            }
        }
    }
    Ok(facts)
}

/// Returns the validation loss of a run; none of one that diverged.
fn validation_loss(run: &Path) -> Result<Option<f64>> {
    let path = run.join("summary.json");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(None);
    };
    let summary: Json = serde_json::from_str(&text)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(summary["figures"]["validation_loss"].as_f64())
}
