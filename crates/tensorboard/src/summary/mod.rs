//! The kinds of values: each file has the type of one kind, the method that writes it, and its
//! decoder.

mod histogram;
mod image;
mod scalar;
mod text;

pub use histogram::{Bin, Histogram};
pub use image::Png;

use crate::proto;

/// The plugin of TensorBoard that shows a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Histogram,
    Image,
    Text,
    Hparams,
}

impl Kind {
    /// Returns the kind in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Histogram => "histogram",
            Self::Image => "image",
            Self::Text => "text",
            Self::Hparams => "hparams",
        }
    }

    /// Returns the metadata of every value of this kind.
    pub(crate) fn metadata(self) -> proto::Metadata {
        // Data classes: 1 is a scalar, 2 a tensor, 3 a sequence of blobs.
        let (plugin, data_class) = match self {
            Self::Scalar => ("scalars", 1),
            Self::Histogram => ("histograms", 2),
            Self::Image => ("images", 3),
            Self::Text => ("text", 2),
            Self::Hparams => ("hparams", 2),
        };
        proto::Metadata {
            plugin_data: Some(proto::PluginData {
                plugin_name: plugin.into(),
                content: Vec::new(),
            }),
            data_class,
            ..Default::default()
        }
    }
}

/// The content of a value in the file.
pub(crate) enum Data {
    /// A scalar.
    Number(f32),
    /// Anything else that is shown over the steps.
    Tensor(proto::Tensor),
    /// The bytes that a plugin reads from the metadata alone.
    Plugin(Vec<u8>),
}

/// A decoded value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SummaryValue {
    /// A number.
    Scalar(f32),
    /// A histogram.
    Histogram(Histogram),
    /// Pictures of one size.
    Image(Vec<Png>),
    /// Markdown.
    Text(String),
    /// A value of another plugin, or one that its plugin could not draw; with the name of the
    /// plugin.
    Other(String),
}

/// Decodes the tag and the value of a summary value. Metadata say what it is; a number without them
/// is a scalar, as PyTorch and TensorFlow 1 write it.
pub(crate) fn decode(value: proto::Value) -> (String, SummaryValue) {
    let plugin = value
        .metadata
        .and_then(|metadata| metadata.plugin_data)
        .map(|data| data.plugin_name)
        .unwrap_or_default();
    let decoded = match (plugin.as_str(), &value.tensor, value.simple_value) {
        ("" | "scalars", _, Some(number)) => Some(SummaryValue::Scalar(number)),
        ("scalars", Some(tensor), _) => scalar::decode(tensor).map(SummaryValue::Scalar),
        ("histograms", Some(tensor), _) => histogram::decode(tensor).map(SummaryValue::Histogram),
        ("images", Some(tensor), _) => image::decode(tensor).map(SummaryValue::Image),
        ("text", Some(tensor), _) => text::decode(tensor).map(SummaryValue::Text),
        _ => None,
    };
    (value.tag, decoded.unwrap_or(SummaryValue::Other(plugin)))
}
