//! Operations of a device that fall short, so that ours are compared with something else.

use super::device::name;

/// What is wrong with Burn's operation on a device. That it is wrong is tested too, but for a race,
/// which may go well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// It panics.
    Missing,
    /// Its gradient panics.
    Panics,
    /// It is off by more than this.
    Value(f64),
    /// Its gradient is not the slope of its value, by more than this.
    Gradient(f64),
    /// Its value or gradient is a matter of which thread comes last.
    Race,
    /// It is exact to this much only, whatever the float type.
    Rounded(f64),
    /// The operation needs as many axes as the device's tensors may have, so that it cannot be
    /// stacked.
    Axes,
}

/// The fault of the operation that the table calls so, on the device of the run.
pub(crate) fn fault(operation: &str) -> Option<Fault> {
    match name().as_str() {
        "wgpu" => wgpu(operation).or_else(|| other_than_flex(operation)),
        "ndarray" => ndarray(operation).or_else(|| other_than_flex(operation)),
        // With groups, the gradient forgets that the last entries may be read by no window.
        _ if starts(operation, &["conv1d s3 p1 d1 g2"]) => Some(Fault::Gradient(1e-3)),
        _ => None,
    }
}

fn starts(operation: &str, names: &[&str]) -> bool {
    names.iter().any(|name| operation.starts_with(name))
}

fn other_than_flex(operation: &str) -> Option<Fault> {
    let starts = |names: &[&str]| starts(operation, names);
    match operation {
        // The gradient is that of the approximation by tanh.
        "gelu" | "Gelu" => Some(Fault::Gradient(1e-4)),
        "gelu_backward" => Some(Fault::Value(1e-4)),
        // The same, as much as random weights let it be seen.
        _ if starts(&["PositionWiseFeedForward", "Transformer"]) => Some(Fault::Gradient(0.0)),
        // That of the offsets.
        _ if starts(&["deform_conv2d, "]) => Some(Fault::Gradient(1e-2)),
        // Not written for these devices.
        _ if starts(&["grid_sample_2d, nearest"]) => Some(Fault::Missing),
        "interpolate_backward (f32 in Burn)" => Some(Fault::Missing),
        _ if starts(&["interpolate bilinear", "interpolate bicubic"]) => Some(Fault::Panics),
        _ if starts(&["Interpolate1d linear", "Interpolate1d cubic"]) => Some(Fault::Panics),
        _ if starts(&["Interpolate2d linear", "Interpolate2d cubic"]) => Some(Fault::Panics),
        _ => None,
    }
}

fn wgpu(operation: &str) -> Option<Fault> {
    match operation {
        // Several updates of one entry are not added up.
        "scatter_nd" | "gather_nd" => Some(Fault::Race),
        // Vulkan lets these be off by 4096 units of f32.
        "asin" | "acos" => Some(Fault::Rounded(4096.0 * 1.2e-7)),
        // The gradients of the place where the image is read.
        "deform_conv2d_backward, offset (f32 in Burn)"
        | "deform_conv2d_backward, mask (f32 in Burn)" => Some(Fault::Value(1e-2)),
        _ => None,
    }
}

fn ndarray(operation: &str) -> Option<Fault> {
    let starts = |names: &[&str]| starts(operation, names);
    match operation {
        // The logistic function and the exponent are rounded to f32.
        "sigmoid"
        | "log_sigmoid"
        | "silu"
        | "glu"
        | "powf_scalar"
        | "Sigmoid"
        | "LogSigmoid"
        | "Silu"
        | "GLU"
        | "SwiGlu"
        | "log_sigmoid_backward" => Some(Fault::Rounded(1e-6)),
        _ if starts(&["Gru", "BiGru", "Lstm", "BiLstm", "BinaryCrossEntropyLoss"]) => {
            Some(Fault::Rounded(1e-6))
        }
        // Like flex it rounds to f32, but the value of these few terms suffers more.
        _ if starts(&["deform_conv2d_backward, input", "DeformConv2d"]) => {
            Some(Fault::Rounded(1e-5))
        }
        // With groups, the gradient forgets that the last entries may be read by no window.
        _ if starts(&["conv1d s3 p1 d1 g2"]) => Some(Fault::Panics),
        // Six axes are the most.
        "PixelShuffle"
        | "PixelUnshuffle"
        | "unfold4d"
        | "Unfold4d"
        | "adaptive_avg_pool3d_backward" => Some(Fault::Axes),
        _ => None,
    }
}
