//! The layout: which scalars stand together on the page Custom Scalars.

use super::{Data, Kind};
use crate::proto::{DT_STRING, Tensor};
use crate::{Error, EventWriter};
use prost::Message;

/// The tag that the page looks for.
const TAG: &str = "custom_scalars__config__";

/// The charts of the page Custom Scalars, in categories.
///
/// TensorBoard puts the layouts of all runs together and leaves out charts that are equal, so every
/// run of an experiment can write the same one.
///
/// # Examples
/// ```
/// use tensorboard::{Chart, EventWriter, Layout, Margin};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path())?;
/// let layout = Layout::new()
///     .with("loss", Chart::lines("both losses", ["loss/.*"]))
///     .with(
///         "loss",
///         Chart::margins(
///             "trace",
///             [Margin::new("trace", "trace_lower", "trace_upper")],
///         ),
///     );
/// assert_eq!(layout.categories.len(), 1);
/// writer.layout(&layout)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    /// The categories, in the order of the page.
    pub categories: Vec<Category>,
}

/// Charts under one heading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Category {
    /// The heading.
    pub title: String,
    /// The charts.
    pub charts: Vec<Chart>,
    /// Whether it is folded at first.
    pub closed: bool,
}

/// A chart of several scalars.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Lines of all scalars that match.
    Lines {
        /// The title.
        title: String,
        /// Regular expressions, which must match from the beginning of a tag; a dollar ends one.
        tags: Vec<String>,
    },
    /// Lines within bands. The page takes them only where all three tags have the same steps.
    Margins {
        /// The title.
        title: String,
        /// The lines.
        series: Vec<Margin>,
    },
}

/// The tags of a line and of its band.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Margin {
    /// The value.
    pub value: String,
    /// The lower end of the band.
    pub lower: String,
    /// The upper end of the band.
    pub upper: String,
}

impl Margin {
    /// Names the three tags.
    #[must_use]
    pub fn new(
        value: impl Into<String>,
        lower: impl Into<String>,
        upper: impl Into<String>,
    ) -> Self {
        Self {
            value: value.into(),
            lower: lower.into(),
            upper: upper.into(),
        }
    }
}

impl Chart {
    /// Returns a chart of the scalars that match any of some regular expressions.
    #[must_use]
    pub fn lines(
        title: impl Into<String>,
        tags: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self::Lines {
            title: title.into(),
            tags: tags.into_iter().map(Into::into).collect(),
        }
    }

    /// Returns a chart of lines within bands.
    #[must_use]
    pub fn margins(title: impl Into<String>, series: impl IntoIterator<Item = Margin>) -> Self {
        Self::Margins {
            title: title.into(),
            series: series.into_iter().collect(),
        }
    }

    /// Returns the title.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Lines { title, .. } | Self::Margins { title, .. } => title,
        }
    }
}

impl Layout {
    /// Returns a layout without charts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a chart to a category, which is made if it is not there.
    #[must_use]
    pub fn with(mut self, category: &str, chart: Chart) -> Self {
        self.add(category, chart);
        self
    }

    /// Adds a chart to a category, which is made if it is not there.
    pub fn add(&mut self, category: &str, chart: Chart) {
        let known = self
            .categories
            .iter_mut()
            .find(|known| known.title == category);
        match known {
            Some(known) => known.charts.push(chart),
            None => self.categories.push(Category {
                title: category.to_owned(),
                charts: vec![chart],
                closed: false,
            }),
        }
    }

    /// Checks what the page would pass over without a word.
    ///
    /// # Errors
    /// [`Error::Layout`].
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |rule| Err(Error::Layout { rule });
        for category in &self.categories {
            if category.title.is_empty() {
                return wrong("a category has no title".into());
            }
            for chart in &category.charts {
                let title = chart.title();
                if title.is_empty() {
                    return wrong(format!("a chart of `{}` has no title", category.title));
                }
                let empty = match chart {
                    Chart::Lines { tags, .. } => {
                        tags.is_empty() || tags.iter().any(String::is_empty)
                    }
                    Chart::Margins { series, .. } => {
                        let named = |s: &Margin| {
                            !(s.value.is_empty() || s.lower.is_empty() || s.upper.is_empty())
                        };
                        series.is_empty() || !series.iter().all(named)
                    }
                };
                if empty {
                    return wrong(format!("the chart `{title}` has no tags, or an empty one"));
                }
            }
        }
        Ok(())
    }
}

impl EventWriter {
    /// Writes the charts of the page Custom Scalars. A later call replaces them; only the last one
    /// is shown.
    ///
    /// # Errors
    /// [`Error::Layout`]; nothing is written then. Failed output is not an error here, see
    /// [`EventWriter`].
    pub fn layout(&mut self, layout: &Layout) -> Result<(), Error> {
        layout.check()?;
        let bytes = message::Layout::from(layout).encode_to_vec();
        let tensor = Tensor {
            string_val: vec![bytes],
            ..Tensor::of(DT_STRING, &[])
        };
        let again = self.tags.get(TAG).map(|track| track.last.saturating_add(1));
        let step = again
            .unwrap_or_else(|| self.last_step())
            .max(self.last_step());
        self.write(Kind::Layout, step, vec![(TAG, Data::Tensor(tensor))])
    }
}

pub(super) fn decode(tensor: &Tensor) -> Option<Layout> {
    match tensor.string_val.as_slice() {
        [bytes] if tensor.dtype == DT_STRING => message::Layout::decode(bytes.as_slice())
            .ok()?
            .try_into()
            .ok(),
        _ => None,
    }
}

mod message {
    //! The protocol buffers of `tensorboard/plugins/custom_scalar/layout.proto`.

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Layout {
        #[prost(int32, tag = "1")]
        version: i32,
        #[prost(message, repeated, tag = "2")]
        category: Vec<Category>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Category {
        #[prost(string, tag = "1")]
        title: String,
        #[prost(message, repeated, tag = "2")]
        chart: Vec<Chart>,
        #[prost(bool, tag = "3")]
        closed: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Chart {
        #[prost(string, tag = "1")]
        title: String,
        #[prost(message, optional, tag = "2")]
        multiline: Option<Multiline>,
        #[prost(message, optional, tag = "3")]
        margin: Option<Margins>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Multiline {
        #[prost(string, repeated, tag = "1")]
        tag: Vec<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Margins {
        #[prost(message, repeated, tag = "1")]
        series: Vec<Series>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Series {
        #[prost(string, tag = "1")]
        value: String,
        #[prost(string, tag = "2")]
        lower: String,
        #[prost(string, tag = "3")]
        upper: String,
    }

    impl From<&super::Layout> for Layout {
        fn from(layout: &super::Layout) -> Self {
            let category = |category: &super::Category| Category {
                title: category.title.clone(),
                chart: category.charts.iter().map(Into::into).collect(),
                closed: category.closed,
            };
            Self {
                version: 0,
                category: layout.categories.iter().map(category).collect(),
            }
        }
    }

    impl From<&super::Chart> for Chart {
        fn from(chart: &super::Chart) -> Self {
            let (multiline, margin) = match chart {
                super::Chart::Lines { tags, .. } => (Some(Multiline { tag: tags.clone() }), None),
                super::Chart::Margins { series, .. } => {
                    let band = |of: &super::Margin| Series {
                        value: of.value.clone(),
                        lower: of.lower.clone(),
                        upper: of.upper.clone(),
                    };
                    (
                        None,
                        Some(Margins {
                            series: series.iter().map(band).collect(),
                        }),
                    )
                }
            };
            Self {
                title: chart.title().to_owned(),
                multiline,
                margin,
            }
        }
    }

    impl TryFrom<Layout> for super::Layout {
        type Error = ();

        fn try_from(layout: Layout) -> Result<Self, ()> {
            let categories = layout.category.into_iter().map(|category| {
                let charts = category.chart.into_iter().map(TryInto::try_into);
                Ok(super::Category {
                    title: category.title,
                    charts: charts.collect::<Result<_, ()>>()?,
                    closed: category.closed,
                })
            });
            Ok(Self {
                categories: categories.collect::<Result<_, ()>>()?,
            })
        }
    }

    impl TryFrom<Chart> for super::Chart {
        type Error = ();

        fn try_from(chart: Chart) -> Result<Self, ()> {
            match (chart.multiline, chart.margin) {
                (Some(lines), None) => Ok(Self::Lines {
                    title: chart.title,
                    tags: lines.tag,
                }),
                (None, Some(margins)) => Ok(Self::Margins {
                    title: chart.title,
                    series: margins
                        .series
                        .into_iter()
                        .map(|of| super::Margin {
                            value: of.value,
                            lower: of.lower,
                            upper: of.upper,
                        })
                        .collect(),
                }),
                _ => Err(()),
            }
        }
    }
}
