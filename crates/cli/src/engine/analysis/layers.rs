//! The layers of a model, as ranges of coordinates: the tensors of one layer lie side by side.

use std::ops::Range;

use landscape::spectrum::{BlockTrace, Estimate};

/// The trace of the part of the matrix that belongs to a layer.
#[derive(Debug, Clone)]
pub(crate) struct LayerTrace {
    /// Path of the layer.
    pub(crate) layer: String,
    /// Parameters of the layer.
    pub(crate) parameters: usize,
    /// Trace.
    pub(crate) estimate: Estimate,
    /// Whether nothing of it was estimated.
    pub(crate) exact: bool,
}

/// A layer: its path and its coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) path: String,
    pub(super) range: Range<usize>,
}

/// Returns the layers of the tensors with these paths and lengths, one after the other.
pub(super) fn layers<'a>(tensors: impl Iterator<Item = (&'a str, usize)>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut offset = 0;
    for (path, length) in tensors {
        let layer = path.rsplit_once('.').map_or(path, |(layer, _)| layer);
        let end = offset + length;
        match layers.last_mut() {
            Some(last) if last.path == layer => last.range.end = end,
            _ => layers.push(Layer {
                path: layer.to_owned(),
                range: offset..end,
            }),
        }
        offset = end;
    }
    layers
}

/// Returns traces with the names of their layers.
pub(super) fn named(layers: &[Layer], traces: &[BlockTrace]) -> Vec<LayerTrace> {
    let pairs = layers.iter().zip(traces);
    pairs
        .map(|(layer, trace)| LayerTrace {
            layer: layer.path.clone(),
            parameters: layer.range.len(),
            estimate: trace.estimate,
            exact: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_one_layer_are_one_range_and_equal_names_apart_are_two() {
        let tensors = [
            ("fc.weight", 6),
            ("fc.bias", 2),
            ("scale", 1),
            ("block.0.fc.weight", 4),
            ("fc.weight", 3),
        ];
        let found = layers(tensors.into_iter());
        let found: Vec<_> = found
            .iter()
            .map(|layer| (layer.path.as_str(), layer.range.clone()))
            .collect();
        let expected = [
            ("fc", 0..8),
            ("scale", 8..9),
            ("block.0.fc", 9..13),
            ("fc", 13..16),
        ];
        assert_eq!(found, expected);
    }
}
