//! Finished runs beside each other: figures, means over seeds, differences, a sentence, pictures on
//! one scale.

mod chosen;
mod difference;
mod export;
mod found;
mod group;
mod measure;
mod obstacle;
mod pictures;
mod sentence;
mod settings;
mod statistics;
mod tables;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub(crate) use export::csv;
pub(crate) use found::{Found, begun, common_folder, find, short_names, write_order};
pub(crate) use pictures::{Drawn, check_folder, draw, usual_folder};

use crate::report::number::Number;
use crate::report::program;
use crate::report::sheet::Sheet;
use crate::results::summary::{DIVERGED, Summary};
pub(crate) use settings::{method, that_differ};

use difference::{Basis, basis, difference};
use group::{Group, Members};
use measure::Measure;
use obstacle::{incomparable, obstacle};

/// A finished run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Its directory.
    pub(crate) directory: PathBuf,
    /// Its name beside the others: its directory without what all of them begin with.
    pub(crate) name: String,
    /// Its summary.
    pub(crate) summary: Summary,
}

/// Runs, and the groups of those that differ in nothing but the seed.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// The runs in the order in which they were given.
    pub(crate) runs: Vec<Run>,
    members: Vec<Members>,
    groups: Vec<Group>,
    /// Runs that were looked for beside them and are not finished.
    unfinished: Vec<PathBuf>,
    /// The reason why losses and curvatures of the runs do not mean the same.
    obstacle: Option<String>,
}

impl Comparison {
    /// Puts runs beside each other.
    pub(crate) fn of(found: Found) -> Self {
        let Found {
            finished,
            unfinished,
        } = found;
        let directories: Vec<&Path> = finished.iter().map(|(path, _)| path.as_path()).collect();
        let names = short_names(&directories);
        let runs: Vec<Run> = finished
            .into_iter()
            .zip(names)
            .map(|((directory, summary), name)| Run {
                directory,
                name,
                summary,
            })
            .collect();
        let members = group::grouped(&runs);
        let of = |members: &Members| members.runs.iter().map(|run| &runs[*run]).collect();
        let runs_of: Vec<Vec<&Run>> = members.iter().map(of).collect();
        let names = group::names(&runs_of);
        let groups = runs_of.iter().zip(names);
        let groups = groups.map(|(runs, name)| Group::of(name, runs)).collect();
        let obstacle = obstacle(&runs);
        Self {
            runs,
            members,
            groups,
            unfinished,
            obstacle,
        }
    }

    /// Returns what the runs are compared by.
    fn measures(&self) -> Vec<Measure> {
        Measure::of_runs(self.runs.iter().map(|run| &run.summary.figures))
    }

    /// Returns why the runs cannot be compared, if they cannot.
    pub(crate) fn obstacle(&self) -> Option<&str> {
        self.obstacle.as_deref()
    }

    /// Returns the sentence about all of it; none where there is nothing to compare.
    pub(crate) fn sentence(&self) -> Option<String> {
        match &self.obstacle {
            Some(obstacle) => Some(format!("{obstacle}.")),
            None => sentence::sentence(&self.groups),
        }
    }

    /// Returns the tables and the sentence for a terminal of so many columns.
    pub(crate) fn text(&self, columns: usize) -> String {
        let mut parts = vec![tables::figures(self).fit(columns)];
        parts.extend(tables::differences(self).into_iter().map(|(title, sheet)| {
            format!("\n{}\n{}", wrapped(&title, columns), sheet.fit(columns))
        }));
        let remarks = self.remarks();
        if !remarks.is_empty() {
            parts.push(String::new());
            parts.extend(remarks.iter().map(|remark| wrapped(remark, columns)));
        }
        if let Some(sentence) = self.sentence() {
            parts.push(String::new());
            parts.push(wrapped(&sentence, columns));
        }
        parts.join("\n")
    }

    /// Returns the same in markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut parts = vec![tables::figures(self).markdown()];
        parts.extend(
            tables::differences(self)
                .into_iter()
                .map(|(title, sheet): (String, Sheet)| format!("{title}\n\n{}", sheet.markdown())),
        );
        parts.extend(self.remarks().into_iter().chain(self.sentence()));
        parts.join("\n")
    }

    /// Returns the commands that compare those runs that can be compared with each other.
    pub(crate) fn commands(&self) -> String {
        let mut classes: Vec<Vec<&Run>> = Vec::new();
        for run in &self.runs {
            let class = classes
                .iter_mut()
                .find(|class| incomparable(&class[0].summary, &run.summary).is_none());
            match class {
                Some(class) => class.push(run),
                None => classes.push(vec![run]),
            }
        }
        let command = |class: &Vec<&Run>| {
            let others = self.runs.iter().map(|run| &run.directory);
            let others: Vec<&PathBuf> = others
                .filter(|path| class.iter().all(|run| run.directory != **path))
                .collect();
            // The outermost folder in which no other run lies stands for all that lie in it.
            let place = |run: &&Run| {
                let folders = run.directory.ancestors();
                let own = folders.take_while(|f| others.iter().all(|path| !path.starts_with(f)));
                own.last().unwrap_or(&run.directory).display().to_string()
            };
            let mut places: Vec<String> = class.iter().map(place).collect();
            places.dedup();
            format!("{} compare {}", program::name(), places.join(" "))
        };
        classes
            .iter()
            .map(command)
            .collect::<Vec<_>>()
            .join(", or ")
    }

    /// Returns the same for machines: the keys `runs`, `groups`, `differences`, `sentence` and
    /// `pictures`.
    pub(crate) fn json(&self, drawn: Option<&Drawn>) -> Value {
        let runs: Vec<_> = self
            .runs
            .iter()
            .map(|run| json!({"directory": run.directory, "summary": run.summary}))
            .collect();
        let groups: Vec<Value> = self
            .groups
            .iter()
            .zip(&self.members)
            .map(|(group, members)| {
                let directories: Vec<&Path> = members
                    .runs
                    .iter()
                    .map(|run| self.runs[*run].directory.as_path())
                    .collect();
                let figures = self.measures().into_iter().map(|measure| {
                    let values: Vec<f64> = group.figures.iter().map(|f| measure.of(f)).collect();
                    let figure = json!({
                        "mean": Number(statistics::mean(&values)),
                        "standard_deviation": Number(statistics::standard_deviation(&values)),
                    });
                    (measure.key(), figure)
                });
                json!({
                    "name": group.name,
                    "seeds": group.seeds,
                    "directories": directories,
                    "diverged": group.diverged,
                    "figures": serde_json::Map::from_iter(figures),
                })
            })
            .collect();
        let mut differences = Vec::new();
        if let (Some((first, others)), None) = (self.groups.split_first(), &self.obstacle) {
            for other in others {
                let figures = self.measures().into_iter().map(|measure| {
                    let figure = difference(measure, first, other).map_or(Value::Null, |found| {
                        json!({
                            "difference": Number(found.difference),
                            "low": Number(found.low()),
                            "high": Number(found.high()),
                        })
                    });
                    (measure.key(), figure)
                });
                let kind = match basis(first, other) {
                    Basis::Paired => "paired",
                    Basis::Welch => "welch",
                    Basis::OneSeed => "one seed",
                };
                differences.push(json!({
                    "of": other.name,
                    "minus": first.name,
                    "kind": kind,
                    "figures": serde_json::Map::from_iter(figures),
                }));
            }
        }
        let pictures: Vec<PathBuf> = drawn.map(Drawn::paths).unwrap_or_default();
        json!({
            "runs": runs,
            "groups": groups,
            "differences": differences,
            "sentence": self.sentence(),
            "unfinished": self.unfinished,
            "pictures": pictures,
        })
    }

    /// Returns whether some of the runs differ in nothing but the seed, so that a column stands for
    /// several.
    fn is_grouped(&self) -> bool {
        self.groups.iter().any(|group| group.seeds.len() > 1)
    }

    /// Returns what a reader of the table should know.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let summaries = || self.runs.iter().map(|run| &run.summary);
        for run in self
            .runs
            .iter()
            .filter(|run| run.summary.status == DIVERGED)
        {
            remarks.push(format!("{} diverged at its last step.", run.name));
        }
        let unfinished = self.unfinished.iter().map(|run| run.display().to_string());
        let unfinished: Vec<String> = unfinished.collect();
        match unfinished.as_slice() {
            [] => {}
            few if few.len() <= 4 => {
                remarks.push(format!(
                    "Not finished, and not in these figures: {}.",
                    few.join(", ")
                ));
            }
            [first, others @ ..] => remarks.push(format!(
                "Not finished, and not in these figures: {first} and {} others.",
                others.len()
            )),
        }
        for members in &self.members {
            for repeated in &members.repeated {
                let run = &self.runs[*repeated];
                let seed = run.summary.config.seed;
                let same = |other: &&usize| self.runs[**other].summary.config.seed == seed;
                let first = members.runs.iter().find(same).expect("it repeats one");
                remarks.push(format!(
                    "{} and {} are one training, with one seed; it counts once.",
                    self.runs[*first].name, run.name
                ));
            }
        }
        let differ = |of: &dyn Fn(&Summary) -> Option<String>| {
            let mut all = summaries().filter_map(of);
            let first = all.next();
            all.any(|other| Some(other) != first)
        };
        let rho = |s: &Summary| measure::radius(&s.figures).map(|rho| rho.to_string());
        if differ(&rho) {
            remarks.push(
                "The SAM sharpness is measured with different radii and cannot be compared."
                    .to_owned(),
            );
        }
        // The step of a difference follows the weights; only the kind of product matters here.
        let kind = |s: &Summary| {
            let measured = s
                .figures
                .lambda_1
                .is_some_and(|lambda| lambda.value.0.is_finite());
            let kind = s.hessian.method.split(',').next().filter(|_| measured);
            kind.map(str::to_owned)
        };
        if differ(&kind) {
            remarks.push("Hessian products were made by different methods.".to_owned());
        }
        let network = |s: &Summary| Some(s.config.subject.network_in_words());
        if differ(&network) {
            remarks.push(
                "The networks differ; curvature depends on how a network is parameterised."
                    .to_owned(),
            );
        }
        remarks
    }
}

/// Returns the largest eigenvalue of a run.
pub(crate) fn lambda_1(summary: &Summary) -> f64 {
    Measure::LambdaOne.of(&summary.figures)
}

/// Returns the accuracy of a run over the test examples; NaN where there are no classes.
pub(crate) fn test_accuracy(summary: &Summary) -> f64 {
    Measure::TestAccuracy.of(&summary.figures)
}

/// Returns a sentence in lines of at most so many columns.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines
            .last_mut()
            .expect("there is a line from the beginning");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
