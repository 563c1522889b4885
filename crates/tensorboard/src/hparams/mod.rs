//! The settings of a run, which TensorBoard's HParams page shows as a row of a table that can be
//! sorted.

mod message;

use crate::summary::{Data, Kind};
use crate::writer::now;
use crate::{Error, EventWriter};
use message::{HparamInfo, MetricInfo, MetricName, PluginData};
use prost::Message;
use std::collections::BTreeMap;

/// The settings of one run: a row of the table.
///
/// The table leaves the place of a setting empty that only other runs have, but parallel
/// coordinates and scatter plots leave the whole run out. So give a neutral value where there is
/// one, such as a radius of zero to a method without a radius.
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, Hparams, Setting, Status};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path().join("sam"))?;
/// let hparams = Hparams::new([
///     ("method", Setting::from("sam")),
///     ("rho", Setting::from(0.05)),
///     ("nesterov", Setting::from(true)),
/// ]);
/// writer.hparams(&hparams)?;
/// writer.scalar("loss/test", 100, 0.25)?;
/// writer.end_session(Status::Success, None)?;
/// writer.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hparams {
    /// The settings by name.
    pub settings: BTreeMap<String, Setting>,
    /// Runs of one group are one row: their settings must be the same, such as those of runs that
    /// differ in their seed alone, and their metrics are averaged. Empty for a row of its own,
    /// named after the run.
    pub group: String,
    /// The time when the run began, in seconds since 1970; none for the time of the call.
    pub start_time: Option<f64>,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A number, finite.
    Number(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl From<f64> for Setting {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Setting {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Setting {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// The columns of the table: which settings and which metrics it shows.
///
/// Where no run has written columns, TensorBoard shows the settings of all runs, those in which
/// they differ first, and every scalar as a metric. That suits runs that are started one by one.
/// With columns it takes those that it finds first in any of the runs, and shows nothing beyond
/// them: so every run below one `--logdir` has to write the same ones, with the settings that any
/// of them has. [`of`](Self::of) gathers them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// A description of the experiment, in Markdown.
    pub description: String,
    /// The columns of the settings, in order.
    pub settings: Vec<SettingColumn>,
    /// The columns of the metrics, in order.
    pub metrics: Vec<Metric>,
}

/// The column of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingColumn {
    /// The name of the setting.
    pub name: String,
    /// The kind of its values.
    pub kind: SettingKind,
    /// Whether the runs differ in it. The page shows such columns first.
    pub differs: bool,
    /// Its meaning, in a sentence. May be empty.
    pub description: String,
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Numbers.
    Number,
    /// Words.
    Text,
    /// Yes or no.
    Flag,
}

/// The column of a metric: the last value of a scalar.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    /// The tag of the scalar.
    pub tag: String,
    /// The heading of the column. Empty for the tag.
    pub name: String,
    /// Its meaning, in a sentence. May be empty.
    pub description: String,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it was to end.
    Success,
    /// By an error.
    Failure,
}

impl Hparams {
    /// Returns a row of its own with these settings; of two with one name the later stays.
    pub fn new<N: Into<String>>(settings: impl IntoIterator<Item = (N, Setting)>) -> Self {
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.into(), value));
        Self {
            settings: settings.collect(),
            ..Self::default()
        }
    }
}

impl Setting {
    fn kind(&self) -> SettingKind {
        match self {
            Self::Number(_) => SettingKind::Number,
            Self::Text(_) => SettingKind::Text,
            Self::Flag(_) => SettingKind::Flag,
        }
    }

    fn message(&self) -> message::Value {
        let mut value = message::Value::default();
        match self {
            Self::Number(number) => value.number_value = Some(*number),
            Self::Text(text) => value.string_value = Some(text.clone()),
            Self::Flag(flag) => value.bool_value = Some(*flag),
        }
        value
    }
}

impl Columns {
    /// Columns for every setting of these runs, those in which they differ first and else by name,
    /// and for the metrics of these tags. A setting that is of several kinds is shown as words.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{Columns, Hparams, Setting, SettingKind};
    ///
    /// let sgd = Hparams::new([("method", Setting::from("sgd"))]);
    /// let sam = Hparams::new([
    ///     ("method", Setting::from("sam")),
    ///     ("rho", Setting::from(0.05)),
    /// ]);
    /// let columns = Columns::of(&[&sgd, &sam], &["loss/test"]);
    /// assert_eq!(
    ///     (
    ///         columns.settings[1].name.as_str(),
    ///         columns.settings[1].differs
    ///     ),
    ///     ("rho", true)
    /// );
    /// assert_eq!(columns.settings[1].kind, SettingKind::Number);
    /// assert_eq!(columns.metrics[0].tag, "loss/test");
    /// ```
    #[must_use]
    pub fn of(runs: &[&Hparams], metrics: &[&str]) -> Self {
        let mut kinds = BTreeMap::new();
        for (name, setting) in runs.iter().flat_map(|run| &run.settings) {
            let kind = kinds.entry(name).or_insert(setting.kind());
            if *kind != setting.kind() {
                *kind = SettingKind::Text;
            }
        }
        let column = |(name, kind): (&String, SettingKind)| {
            let mut values = runs.iter().map(|run| run.settings.get(name));
            let first = values.next();
            SettingColumn {
                name: name.clone(),
                kind,
                differs: values.any(|value| Some(value) != first),
                description: String::new(),
            }
        };
        let mut settings: Vec<SettingColumn> = kinds.into_iter().map(column).collect();
        settings.sort_by_key(|column| !column.differs);
        let metric = |tag: &&str| Metric {
            tag: (*tag).to_owned(),
            ..Metric::default()
        };
        Self {
            description: String::new(),
            settings,
            metrics: metrics.iter().map(metric).collect(),
        }
    }
}

impl EventWriter {
    /// Writes the settings of the run, for TensorBoard's HParams page. Call it once, at the start;
    /// for a resumed run too.
    ///
    /// TensorBoard takes the settings that it finds first in the run. The metrics of the row are
    /// the last values of scalars, chosen by [`columns`](Self::columns).
    ///
    /// # Errors
    /// [`Error::Setting`] for an empty name and for a number that is not finite;
    /// [`Error::StepNotIncreasing`] if the settings are there; [`Error::ValueTooLarge`].
    pub fn hparams(&mut self, hparams: &Hparams) -> Result<(), Error> {
        for (name, setting) in &hparams.settings {
            let rule = match setting {
                _ if name.is_empty() => "give it a name",
                Setting::Number(number) if !number.is_finite() => {
                    "a number must be finite: write another as a text"
                }
                _ => continue,
            };
            return Err(Error::Setting {
                name: name.clone(),
                rule,
            });
        }
        let settings = hparams.settings.iter();
        let start = message::SessionStartInfo {
            hparams: settings
                .map(|(name, setting)| (name.clone(), setting.message()))
                .collect(),
            group_name: hparams.group.clone(),
            start_time_secs: hparams.start_time.unwrap_or_else(now),
        };
        let content = PluginData {
            session_start_info: Some(start),
            ..PluginData::default()
        };
        self.write_hparams("_hparams_/session_start_info", self.first_step(), &content)
    }

    /// Writes the columns of the HParams page, the same for all runs of an experiment: see
    /// [`Columns`].
    ///
    /// # Errors
    /// [`Error::Setting`] and [`Error::EmptyTag`] for an empty name of a setting and an empty tag
    /// of a metric; [`Error::StepNotIncreasing`] if the columns are there;
    /// [`Error::ValueTooLarge`].
    pub fn columns(&mut self, columns: &Columns) -> Result<(), Error> {
        if columns.settings.iter().any(|column| column.name.is_empty()) {
            return Err(Error::Setting {
                name: String::new(),
                rule: "give it a name",
            });
        }
        if columns.metrics.iter().any(|metric| metric.tag.is_empty()) {
            return Err(Error::EmptyTag);
        }
        let settings = columns.settings.iter().map(|column| HparamInfo {
            name: column.name.clone(),
            description: column.description.clone(),
            differs: column.differs,
            r#type: match column.kind {
                SettingKind::Text => 1,
                SettingKind::Flag => 2,
                SettingKind::Number => 3,
            },
        });
        let metrics = columns.metrics.iter().map(|metric| MetricInfo {
            name: Some(MetricName {
                tag: metric.tag.clone(),
            }),
            display_name: metric.name.clone(),
            description: metric.description.clone(),
        });
        let experiment = message::Experiment {
            description: columns.description.clone(),
            hparam_infos: settings.collect(),
            metric_infos: metrics.collect(),
        };
        let content = PluginData {
            experiment: Some(experiment),
            ..PluginData::default()
        };
        self.write_hparams("_hparams_/experiment", self.first_step(), &content)
    }

    /// Says how the run has ended, at `end_time` in seconds since 1970, or now. Until then, and
    /// after a kill, its status is unknown.
    ///
    /// TensorBoard takes the end that it finds first in the run: leave it out where the run will be
    /// resumed.
    ///
    /// # Errors
    /// [`Error::StepNotIncreasing`] if the end was written and no value after it.
    pub fn end_session(&mut self, status: Status, end_time: Option<f64>) -> Result<(), Error> {
        let end = message::SessionEndInfo {
            status: match status {
                Status::Success => 1,
                Status::Failure => 2,
            },
            end_time_secs: end_time.unwrap_or_else(now),
        };
        let content = PluginData {
            session_end_info: Some(end),
            ..PluginData::default()
        };
        self.write_hparams("_hparams_/session_end_info", self.last_step(), &content)
    }

    fn write_hparams(&mut self, tag: &str, step: i64, content: &PluginData) -> Result<(), Error> {
        let data = Data::Plugin(content.encode_to_vec());
        self.write(Kind::Hparams, step, vec![(tag, data)])
    }
}
