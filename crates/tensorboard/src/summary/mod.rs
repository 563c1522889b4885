//! The kinds of values: each file has the type of one kind, the method that writes it, and its
//! decoder.

mod histogram;
mod image;
mod layout;
mod mesh;
mod pr_curve;
mod scalar;
mod text;

pub use histogram::{Bin, Histogram};
pub use image::Png;
pub use layout::{Category, Chart, Layout, Margin};
pub use mesh::{Mesh, SurfaceConfig};
pub use pr_curve::{PrCurve, PrCurveConfig};

use crate::proto;

/// The plugin of TensorBoard that shows a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Histogram,
    Image,
    Text,
    Hparams,
    Mesh,
    Layout,
    PrCurve,
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
            Self::Mesh => "mesh",
            Self::Layout => "layout",
            Self::PrCurve => "PR curve",
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
            Self::Mesh => ("mesh", 2),
            Self::Layout => ("custom_scalars", 2),
            Self::PrCurve => ("pr_curves", 2),
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
    /// Such a tensor, with bytes about it that its plugin reads.
    Described(proto::Tensor, Vec<u8>),
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
    /// A mesh, put together from its values under the tag that it was written with.
    Mesh(Mesh),
    /// The charts of the page Custom Scalars.
    Layout(Layout),
    /// A precision-recall curve.
    PrCurve(PrCurve),
    /// A value of another plugin, or one that its plugin could not draw; with the name of the
    /// plugin.
    Other(String),
}

/// Decodes the values of an event. Metadata say what a value is; a number without them is a scalar,
/// as PyTorch and TensorFlow 1 write it. The values of a mesh become one.
pub(crate) fn decode(values: Vec<proto::Value>) -> Vec<(String, SummaryValue)> {
    let mut decoded = Vec::with_capacity(values.len());
    let mut parts = mesh::Parts::default();
    let mut meshes = Vec::new();
    for value in values {
        let is_mesh = plugin(&value) == "mesh";
        match is_mesh.then(|| mesh::Part::decode(&value)).flatten() {
            Some(part) => {
                if let Some((name, number)) = parts.add(part) {
                    meshes.push((decoded.len(), number));
                    decoded.push((name, SummaryValue::Other("mesh".into())));
                }
            }
            None => decoded.push(decode_one(value)),
        }
    }
    for (place, number) in meshes {
        decoded[place].1 = parts.take(number);
    }
    decoded
}

fn decode_one(value: proto::Value) -> (String, SummaryValue) {
    let plugin = plugin(&value);
    let decoded = match (plugin, &value.tensor, value.simple_value) {
        ("" | "scalars", _, Some(number)) => Some(SummaryValue::Scalar(number)),
        ("scalars", Some(tensor), _) => scalar::decode(tensor).map(SummaryValue::Scalar),
        ("histograms", Some(tensor), _) => histogram::decode(tensor).map(SummaryValue::Histogram),
        ("images", Some(tensor), _) => image::decode(tensor).map(SummaryValue::Image),
        ("text", Some(tensor), _) => text::decode(tensor).map(SummaryValue::Text),
        ("custom_scalars", Some(tensor), _) => layout::decode(tensor).map(SummaryValue::Layout),
        ("pr_curves", Some(tensor), _) => pr_curve::decode(tensor).map(SummaryValue::PrCurve),
        _ => None,
    };
    let decoded = decoded.unwrap_or_else(|| SummaryValue::Other(plugin.to_owned()));
    (value.tag, decoded)
}

/// Returns the plugin that shows a value; empty where it names none.
fn plugin(value: &proto::Value) -> &str {
    let data = value
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.plugin_data.as_ref());
    data.map_or("", |data| data.plugin_name.as_str())
}
