//! The whole of workspace.toml, and how a run's name becomes trainings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::choice::{Decay, Method, Model, Source};
use super::document::Document;
use super::flags::{check_flags, flag, overridden};
use super::folder;
use super::plan::{DatasetPlan, Plan};
use super::sam::SamSettings;
use super::settings::Settings;
use super::suggestion::did_you_mean;
use crate::failure::usage;

/// The tables of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    defaults: Settings,
    #[serde(default)]
    datasets: BTreeMap<String, DatasetPlan>,
    #[serde(default)]
    runs: BTreeMap<String, Settings>,
}

/// A workspace file that has been read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    document: Document,
    tables: Tables,
}

/// One training to carry out.
#[derive(Clone, Debug)]
pub(crate) struct Training {
    /// Its name: that of the run, or of the member of a group.
    pub(crate) name: String,
    /// Where its files go.
    pub(crate) output: PathBuf,
    /// The member of a group that it is.
    pub(crate) member: Option<String>,
    /// The folder that it shares with the other trainings of the command, if there are others.
    pub(crate) group: Option<PathBuf>,
    /// What is to be done.
    pub(crate) plan: Plan,
    /// Where its settings are written, most specific first.
    sources: Vec<Vec<String>>,
    /// The flags, which are more specific than all of these.
    flags: Settings,
}

impl Workspace {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// A usage error that names file, line, key and the allowed values.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        Self::of(Document::read(path)?)
    }

    fn of(document: Document) -> anyhow::Result<Self> {
        let tables: Tables = document.parse()?;
        let workspace = Self { document, tables };
        workspace.check()?;
        Ok(workspace)
    }

    /// The workspace.toml of the repository that the program was built from.
    ///
    /// # Errors
    ///
    /// None: a test reads it.
    pub(crate) fn built_in() -> anyhow::Result<Self> {
        Self::of(Document::built_in())
    }

    /// `, did you mean X?` for the nearest of the known names.
    pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
        did_you_mean(name, known.iter().copied())
    }

    /// The names of the runs in the order of the file.
    pub(crate) fn run_names(&self) -> anyhow::Result<Vec<String>> {
        self.document.keys_in_order(&["runs"])
    }

    /// One line about a run.
    pub(crate) fn description(&self, run: &str) -> &str {
        let run = self.tables.runs.get(run);
        run.and_then(|run| run.description.as_deref()).unwrap_or("")
    }

    /// The data sets by name.
    pub(crate) fn datasets(&self) -> &BTreeMap<String, DatasetPlan> {
        &self.tables.datasets
    }

    /// The trainings of a run: one, or those of a group, each with all of its seeds. Flags override the file.
    ///
    /// # Errors
    ///
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
        let base = settings.clone().over(self.tables.defaults.clone());
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
            .filter_map(|name| members.get(name).map(|member| (name, member)))
            .map(|(name, member)| {
                let settings = member.clone().over(base.clone());
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
                "{}: the members of `{run}` differ by it ({values}) and would be one training; landscape train does one",
                flag(&[key])
            )));
        }
        check_flags(flags, &trainings)?;
        Ok(trainings)
    }

    /// One training from the defaults and the flags alone, with all of its seeds.
    ///
    /// # Errors
    ///
    /// A usage error when the data set is unknown or none is named.
    pub(crate) fn trainings_from_flags(&self, flags: &Settings) -> anyhow::Result<Vec<Training>> {
        let defaults = self.tables.defaults.clone();
        let output = flags.output.clone().or_else(|| defaults.output.clone());
        let output = output.unwrap_or_else(|| Path::new("runs").join("train"));
        let trainings = self.seeded("train", output, flags, defaults, vec![key(&["defaults"])])?;
        check_flags(flags, &trainings)?;
        Ok(trainings)
    }

    /// A usage error about a setting of a training, with the position where the setting is written.
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

    /// A training, or one for each of its seeds, in folders of their own in `output`.
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
        let settings = flags.clone().over(written);
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
        Ok(Training {
            name: name.to_owned(),
            output,
            member: None,
            group: None,
            plan: Plan::decide(settings, dataset, data),
            sources,
            flags: flags.clone(),
        })
    }

    /// What serde cannot see: references between tables, and members in the wrong place.
    fn check(&self) -> anyhow::Result<()> {
        if self.tables.defaults.members.is_some() {
            return Err(self
                .document
                .error(&["defaults", "members"], "only a run has members"));
        }
        for (name, dataset) in &self.tables.datasets {
            self.check_path(dataset, name)?;
        }
        self.check_dataset(&self.tables.defaults, &["defaults"])?;
        for (run, settings) in &self.tables.runs {
            self.check_name(run, &["runs", run])?;
            self.check_dataset(settings, &["runs", run])?;
            for (name, member) in settings.members.iter().flatten() {
                let path = ["runs", run, "members", name];
                self.check_name(name, &path)?;
                if name == folder::PICTURES || name == folder::ORDER {
                    return Err(self.document.error(
                        &path,
                        "a member cannot have this name: the folder of the group has its comparison there",
                    ));
                }
                self.check_dataset(member, &path)?;
                for (key, given) in [
                    ("members", member.members.is_some()),
                    ("output", member.output.is_some()),
                    ("seeds", member.seeds.is_some()),
                ] {
                    if given {
                        let path = ["runs", run, "members", name, key];
                        return Err(self.document.error(
                            &path,
                            "a member of a group cannot have this key; give it to the group",
                        ));
                    }
                }
            }
            if settings.members.as_ref().is_some_and(BTreeMap::is_empty) {
                let path = ["runs", run.as_str(), "members"];
                return Err(self
                    .document
                    .error(&path, "a group needs at least one member"));
            }
            self.check_sam(run, settings)?;
            self.check_kinds(run, settings)?;
        }
        Ok(())
    }

    /// A run says nothing of a method that no training of it has; the defaults may.
    fn check_sam(&self, run: &str, settings: &Settings) -> anyhow::Result<()> {
        let method = |training: &Settings| {
            let method = training.method.or(settings.method);
            method
                .or(self.tables.defaults.method)
                .unwrap_or(Method::Plain)
        };
        let check = |path: &[&str], sam: &SamSettings, methods: &[Method]| {
            let Some((key, message)) = sam.useless(methods) else {
                return Ok(());
            };
            let path = [path, &["sam", key]].concat();
            Err(self.document.error(&path, &message))
        };
        let methods: Vec<Method> = match &settings.members {
            Some(members) => members.values().map(method).collect(),
            None => vec![method(settings)],
        };
        // A radius too: it is nothing to the optimiser alone.
        let check_rho = |path: &[&str], settings: &Settings, methods: &[Method]| {
            if settings.rho.is_none() || methods.iter().any(|method| *method != Method::Plain) {
                return Ok(());
            }
            let path = [path, &["rho"]].concat();
            Err(self.document.error(
                &path,
                "the method is plain, which has no radius; method = \"sam\", say, has one",
            ))
        };
        check(&["runs", run], &settings.sam, &methods)?;
        check_rho(&["runs", run], settings, &methods)?;
        for (name, member) in settings.members.iter().flatten() {
            let path = ["runs", run, "members", name];
            check(&path, &member.sam, &[method(member)])?;
            check_rho(&path, member, &[method(member)])?;
        }
        Ok(())
    }

    /// A run says nothing of networks and schedules that no training of it has; the defaults may.
    fn check_kinds(&self, run: &str, settings: &Settings) -> anyhow::Result<()> {
        let defaults = &self.tables.defaults;
        let kind = |training: &Settings| {
            let model = training.model.or(settings.model).or(defaults.model);
            let schedule = training
                .schedule
                .or(settings.schedule)
                .or(defaults.schedule);
            (
                model.unwrap_or(Model::Mlp),
                schedule.unwrap_or(Decay::Cosine),
            )
        };
        let check = |path: &[&str], settings: &Settings, kinds: &[(Model, Decay)]| {
            let Some((key, message)) = settings.useless(kinds) else {
                return Ok(());
            };
            Err(self.document.error(&[path, &[key]].concat(), &message))
        };
        let kinds: Vec<_> = match &settings.members {
            Some(members) => members.values().map(kind).collect(),
            None => vec![kind(settings)],
        };
        check(&["runs", run], settings, &kinds)?;
        for (name, member) in settings.members.iter().flatten() {
            check(&["runs", run, "members", name], member, &[kind(member)])?;
        }
        Ok(())
    }

    /// A folder is read by `mnist-folder` and by nothing else.
    fn check_path(&self, dataset: &DatasetPlan, name: &str) -> anyhow::Result<()> {
        if dataset.classes.is_some() && dataset.source != Source::MnistFolder {
            return Err(self.document.error(
                &["datasets", name, "classes"],
                "only the source mnist-folder reads files of other classes; the bundled ones have ten",
            ));
        }
        let message = match (dataset.source, &dataset.path) {
            (Source::MnistFolder, None) => {
                "missing; the source mnist-folder reads the folder `path`"
            }
            (Source::Digits | Source::MnistSubset, Some(_)) => {
                "only the source mnist-folder reads a folder; the others are bundled"
            }
            _ => return Ok(()),
        };
        let mut key = vec!["datasets", name, "path"];
        if dataset.path.is_none() {
            key.pop();
            return Err(self.document.error(&key, &format!("path: {message}")));
        }
        Err(self.document.error(&key, message))
    }

    /// Names become folders: no separators, nothing that climbs.
    fn check_name(&self, name: &str, path: &[&str]) -> anyhow::Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(self.document.error(
                path,
                "a name becomes a folder: allowed are letters, digits, `-`, `_` and `.`, not `.` in front",
            ));
        }
        Ok(())
    }

    fn check_dataset(&self, settings: &Settings, path: &[&str]) -> anyhow::Result<()> {
        let known = &self.tables.datasets;
        let Some(name) = &settings.dataset else {
            return Ok(());
        };
        if known.contains_key(name) {
            return Ok(());
        }
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let mut path = path.to_vec();
        path.push("dataset");
        Err(self.document.error(
            &path,
            &format!(
                "unknown data set `{name}`{}; allowed: {}",
                did_you_mean(name, names.iter().copied()),
                names.join(", ")
            ),
        ))
    }
}

fn key(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}
