//! The whole of workspace.toml, and how a run's name becomes trainings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bounded::Count;
use super::choice::{Activation, Model};
use super::document::Document;
use super::flags::{check_flags, flag, overridden};
use super::folder;
use super::plan::Plan;
use super::settings::Settings;
use super::subject::{DatasetPlan, NetworkPlan, Subject};
use super::suggestion::did_you_mean;
use super::tables::{Tables, nothing_to_choose};
use super::training::Training;
use super::variation::Variation;
use super::widths::Widths;
use crate::failure::usage;
use crate::report::program;

/// A workspace file that has been read and checked.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    document: Document,
    tables: Tables,
    /// The name of the workload of a program that has one of its own.
    own: Option<String>,
}

impl Workspace {
    /// Reads and checks the file, for a program with the workload `own`, or with the bundled
    /// networks and data sets.
    ///
    /// # Errors
    /// A usage error that names file, line, key and the allowed values.
    pub(crate) fn read(path: &Path, own: Option<&str>) -> anyhow::Result<Self> {
        Self::of(Document::read(path)?, own)
    }

    /// Reads what stands for the file where there is none: the workspace.toml of the repository
    /// that the program was built from, or for a workload of its own nothing.
    ///
    /// # Errors
    /// None: a test reads it.
    pub(crate) fn built_in(own: Option<&str>) -> anyhow::Result<Self> {
        let document = match own {
            None => Document::built_in(),
            Some(_) => Document::empty(),
        };
        Self::of(document, own)
    }

    fn of(document: Document, own: Option<&str>) -> anyhow::Result<Self> {
        let tables: Tables = document.parse()?;
        tables.check(&document, own)?;
        let own = own.map(str::to_owned);
        Ok(Self {
            document,
            tables,
            own,
        })
    }

    /// Returns the name of the workload of a program that has one of its own.
    pub(crate) fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// Returns `, did you mean X?` for the nearest of the known names.
    pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
        did_you_mean(name, known.iter().copied())
    }

    /// Returns the names of the runs in the order of the file.
    pub(crate) fn run_names(&self) -> anyhow::Result<Vec<String>> {
        self.document.keys_in_order(&["runs"])
    }

    /// Returns one line about a run.
    pub(crate) fn description(&self, run: &str) -> &str {
        let run = self.tables.runs.get(run);
        run.and_then(|run| run.description.as_deref()).unwrap_or("")
    }

    /// Returns the data sets by name.
    pub(crate) fn datasets(&self) -> &BTreeMap<String, DatasetPlan> {
        &self.tables.datasets
    }

    /// Returns the trainings of a run: one, or those of a group, each with all of its seeds. Flags
    /// override the file.
    ///
    /// # Errors
    /// A usage error when the run or its data set is unknown.
    pub(crate) fn trainings(&self, run: &str, flags: &Settings) -> anyhow::Result<Vec<Training>> {
        let Some(settings) = self.tables.runs.get(run) else {
            let known = self.run_names()?;
            return Err(usage(format!(
                "unknown run `{run}`{}; {} has: {}",
                did_you_mean(run, known.iter().map(String::as_str)),
                self.document.path().display(),
                known.join(", ")
            )));
        };
        let base = settings.over(&self.tables.defaults);
        let folder = flags.output.clone().or_else(|| settings.output.clone());
        let folder = folder.unwrap_or_else(|| Path::new("runs").join(run));
        let own = vec![key(&["runs", run]), key(&["defaults"])];
        let Some(members) = &settings.members else {
            let trainings = self.seeded(run, folder, flags, base, own)?;
            check_flags(flags, &trainings)?;
            return Ok(trainings);
        };
        let names = self.document.keys_in_order(&["runs", run, "members"])?;
        let trainings: Vec<Vec<Training>> = names
            .iter()
            .map(|name| {
                let settings = members[name].over(&base);
                let mut sources = vec![key(&["runs", run, "members", name])];
                sources.extend(own.iter().cloned());
                let mut trainings =
                    self.seeded(name, folder.join(name), flags, settings, sources)?;
                for training in &mut trainings {
                    training.member = Some(name.clone());
                    training.group = Some(folder.clone());
                }
                Ok(trainings)
            })
            .collect::<anyhow::Result<_>>()?;
        let trainings = trainings.concat();
        if let Some((key, values)) = overridden(flags, members) {
            return Err(usage(format!(
                "{}: the members of `{run}` differ by it ({values}) and would be one training; {} train does one",
                flag(&[key]),
                program::name()
            )));
        }
        check_flags(flags, &trainings)?;
        Ok(trainings)
    }

    /// Returns one training from the defaults and the flags alone, with all of its seeds.
    ///
    /// # Errors
    /// A usage error when the data set is unknown or none is named.
    pub(crate) fn trainings_from_flags(&self, flags: &Settings) -> anyhow::Result<Vec<Training>> {
        let defaults = self.tables.defaults.clone();
        let output = flags.output.clone().or_else(|| defaults.output.clone());
        let output = output.unwrap_or_else(|| Path::new("runs").join("train"));
        let trainings = self.seeded("train", output, flags, defaults, vec![key(&["defaults"])])?;
        check_flags(flags, &trainings)?;
        Ok(trainings)
    }

    /// Returns a usage error about a setting of a training, with the position where the setting is
    /// written.
    pub(crate) fn setting_error(
        &self,
        training: &Training,
        setting: &[&str],
        message: &str,
    ) -> anyhow::Error {
        if training.flags.has(setting) {
            return usage(format!("{}: {message}", flag(setting)));
        }
        for source in &training.sources {
            let source = source.iter().map(String::as_str);
            let path: Vec<&str> = source.chain(setting.iter().copied()).collect();
            if self.document.has(&path) {
                return self.document.error(&path, message);
            }
        }
        usage(format!("{}: {message}", setting.join(".")))
    }

    /// Returns a training, or one for each of its seeds, in folders of their own in `output`.
    fn seeded(
        &self,
        name: &str,
        output: PathBuf,
        flags: &Settings,
        written: Settings,
        sources: Vec<Vec<String>>,
    ) -> anyhow::Result<Vec<Training>> {
        let count = flags.seeds.or(written.seeds).map_or(1, |count| count.get());
        let training = self.training(name, output, flags, written, sources)?;
        if count == 1 {
            return Ok(vec![training]);
        }
        let first = training.plan.seed;
        let more = u32::try_from(count - 1).ok();
        let Some(last) = more.and_then(|more| first.checked_add(more)) else {
            let message = format!(
                "{count} seeds from {first} go beyond the largest, {}",
                u32::MAX
            );
            return Err(self.setting_error(&training, &["seeds"], &message));
        };
        let with_seed = |seed: u32| {
            let mut plan = training.plan.clone();
            plan.seed = seed;
            let folder = folder::of_seed(seed);
            Training {
                name: format!("{name}/{folder}"),
                output: training.output.join(folder),
                group: Some(training.output.clone()),
                plan,
                ..training.clone()
            }
        };
        Ok((first..=last).map(with_seed).collect())
    }

    fn training(
        &self,
        name: &str,
        output: PathBuf,
        flags: &Settings,
        written: Settings,
        sources: Vec<Vec<String>>,
    ) -> anyhow::Result<Training> {
        let settings = flags.over(&written);
        let subject = match &self.own {
            Some(own) => {
                if let Some(key) = flags.chooses_bundled() {
                    return Err(usage(format!(
                        "{}: {}",
                        flag(&[key]),
                        nothing_to_choose(own)
                    )));
                }
                let workload = own.clone();
                Subject::Own { workload }
            }
            None => Subject::Network(self.network(&settings)?),
        };
        Ok(Training {
            name: name.to_owned(),
            output,
            member: None,
            group: None,
            plan: Plan::decide(settings, subject),
            sources,
            flags: flags.clone(),
        })
    }

    /// Returns the bundled network of settings, with the data set that they name.
    fn network(&self, settings: &Settings) -> anyhow::Result<NetworkPlan> {
        let known = self.tables.datasets.keys().map(String::as_str);
        let names: Vec<&str> = known.collect();
        let Some(dataset) = settings.dataset.clone() else {
            return Err(usage(format!(
                "no data set: give --dataset NAME or write `dataset` into {}; it has: {}",
                self.document.path().display(),
                names.join(", ")
            )));
        };
        let Some(data) = self.tables.datasets.get(&dataset).cloned() else {
            return Err(usage(format!(
                "unknown data set `{dataset}`{}; {} has: {}",
                did_you_mean(&dataset, names.iter().copied()),
                self.document.path().display(),
                names.join(", ")
            )));
        };
        let hidden = || Widths(vec![Count::constant(64), Count::constant(32)]);
        Ok(NetworkPlan {
            dataset,
            data,
            model: settings.model.unwrap_or(Model::Mlp),
            hidden: settings.hidden.clone().unwrap_or_else(hidden),
            activation: settings.activation.unwrap_or(Activation::Relu),
            variation: Variation::decide(settings),
        })
    }
}

fn key(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}
