//! Which axis of a layer's weights counts its filters, in Burn's layout.

/// The filter axis of a parameter of rank `rank` in a layer of type `layer`.
///
/// Burn stores `Linear` weights as `[in, out]` and transposed convolutions as `[in, out, ..]`, so
/// that a neuron is a column there; convolutions and embeddings count along axis 0.
pub(super) fn filter_axis(layer: &str, rank: usize) -> Option<usize> {
    match (layer, rank) {
        (_, 0 | 1) => None,
        ("Linear" | "ConvTranspose1d" | "ConvTranspose2d" | "ConvTranspose3d", _) => Some(1),
        _ => Some(0),
    }
}
