//! The tables of workspace.toml, and what serde cannot check of them: references between tables,
//! and keys in the wrong place.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::choice::{Decay, Method, Model, Source};
use super::document::Document;
use super::folder;
use super::sam::SamSettings;
use super::settings::{Kind, Settings};
use super::subject::DatasetPlan;
use super::suggestion::did_you_mean;

/// The tables of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    #[serde(default)]
    pub(super) defaults: Settings,
    #[serde(default)]
    pub(super) datasets: BTreeMap<String, DatasetPlan>,
    #[serde(default)]
    pub(super) runs: BTreeMap<String, Settings>,
}

impl Tables {
    /// Checks what serde cannot see: references between tables, and members in the wrong place.
    pub(super) fn check(&self, document: &Document, own: Option<&str>) -> anyhow::Result<()> {
        if let Some(own) = own {
            self.check_own(document, own)?;
        }
        if self.defaults.members.is_some() {
            return Err(document.error(&["defaults", "members"], "only a run has members"));
        }
        for (name, dataset) in &self.datasets {
            self.check_path(document, dataset, name)?;
        }
        self.check_dataset(document, &self.defaults, &["defaults"])?;
        for (run, settings) in &self.runs {
            self.check_name(document, run, &["runs", run])?;
            self.check_dataset(document, settings, &["runs", run])?;
            for (name, member) in settings.members.iter().flatten() {
                let path = ["runs", run, "members", name];
                self.check_name(document, name, &path)?;
                if name == folder::PICTURES || name == folder::ORDER {
                    return Err(document.error(
                        &path,
                        "a member cannot have this name: the folder of the group has its comparison there",
                    ));
                }
                self.check_dataset(document, member, &path)?;
                for (key, given) in [
                    ("members", member.members.is_some()),
                    ("output", member.output.is_some()),
                    ("seeds", member.seeds.is_some()),
                ] {
                    if given {
                        let path = ["runs", run, "members", name, key];
                        return Err(document.error(
                            &path,
                            "a member of a group cannot have this key; give it to the group",
                        ));
                    }
                }
            }
            if settings.members.as_ref().is_some_and(BTreeMap::is_empty) {
                let path = ["runs", run.as_str(), "members"];
                return Err(document.error(&path, "a group needs at least one member"));
            }
            self.check_sam(document, run, settings)?;
            self.check_kinds(document, run, settings)?;
        }
        Ok(())
    }

    /// Refuses networks and data sets in the file of a program with a workload of its own.
    fn check_own(&self, document: &Document, own: &str) -> anyhow::Result<()> {
        let message = nothing_to_choose(own);
        if !self.datasets.is_empty() {
            return Err(document.error(&["datasets"], &message));
        }
        let check = |settings: &Settings, path: &[&str]| match settings.chooses_bundled() {
            Some(key) => Err(document.error(&[path, &[key]].concat(), &message)),
            None => Ok(()),
        };
        check(&self.defaults, &["defaults"])?;
        for (run, settings) in &self.runs {
            check(settings, &["runs", run])?;
            for (name, member) in settings.members.iter().flatten() {
                check(member, &["runs", run, "members", name])?;
            }
        }
        Ok(())
    }

    /// Refuses what a run says of a method that no training of it has; the defaults may.
    fn check_sam(&self, document: &Document, run: &str, settings: &Settings) -> anyhow::Result<()> {
        let method = |training: &Settings| {
            let method = training.method.or(settings.method);
            method.or(self.defaults.method).unwrap_or(Method::Plain)
        };
        let check = |path: &[&str], sam: &SamSettings, methods: &[Method]| {
            let Some((key, message)) = sam.useless(methods) else {
                return Ok(());
            };
            let path = [path, &["sam", key]].concat();
            Err(document.error(&path, &message))
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
            Err(document.error(
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

    /// Refuses what a run says of networks and schedules that no training of it has; the defaults
    /// may.
    fn check_kinds(
        &self,
        document: &Document,
        run: &str,
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let defaults = &self.defaults;
        let kind = |training: &Settings| {
            let model = training.model.or(settings.model).or(defaults.model);
            let schedule = training
                .schedule
                .or(settings.schedule)
                .or(defaults.schedule);
            (
                Some(model.unwrap_or(Model::Mlp)),
                schedule.unwrap_or(Decay::Cosine),
            )
        };
        let check = |path: &[&str], settings: &Settings, kinds: &[Kind]| {
            let Some((key, message)) = settings.useless(kinds) else {
                return Ok(());
            };
            Err(document.error(&[path, &[key]].concat(), &message))
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

    /// Refuses a folder where none is read, and its absence where one is.
    fn check_path(
        &self,
        document: &Document,
        dataset: &DatasetPlan,
        name: &str,
    ) -> anyhow::Result<()> {
        if dataset.classes.is_some() && dataset.source != Source::MnistFolder {
            return Err(document.error(
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
            return Err(document.error(&key, &format!("path: {message}")));
        }
        Err(document.error(&key, message))
    }

    /// Refuses a name that cannot become a folder: no separators, nothing that climbs.
    fn check_name(&self, document: &Document, name: &str, path: &[&str]) -> anyhow::Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(document.error(
                path,
                "a name becomes a folder: allowed are letters, digits, `-`, `_` and `.`, not `.` in front",
            ));
        }
        Ok(())
    }

    fn check_dataset(
        &self,
        document: &Document,
        settings: &Settings,
        path: &[&str],
    ) -> anyhow::Result<()> {
        let known = &self.datasets;
        let Some(name) = &settings.dataset else {
            return Ok(());
        };
        if known.contains_key(name) {
            return Ok(());
        }
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let mut path = path.to_vec();
        path.push("dataset");
        Err(document.error(
            &path,
            &format!(
                "unknown data set `{name}`{}; allowed: {}",
                did_you_mean(name, names.iter().copied()),
                names.join(", ")
            ),
        ))
    }
}

/// Says that a program with a workload of its own has no networks and data sets to choose.
pub(super) fn nothing_to_choose(own: &str) -> String {
    format!(
        "this program trains its own workload `{own}`, whose network and data are not chosen by settings"
    )
}
