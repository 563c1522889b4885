//! The instruction sets that this process believes the processor has.

use serde_json::{Value, json};

/// The instruction sets that kernels ask for, and whether each is detected.
///
/// Burn's matrix products and ours all ask the standard library, which looks at the processor once
/// and remembers.
#[cfg(target_arch = "x86_64")]
pub(crate) fn detected() -> Value {
    json!({
        "avx2": is_x86_feature_detected!("avx2"),
        "fma": is_x86_feature_detected!("fma"),
        "bmi1": is_x86_feature_detected!("bmi1"),
        "bmi2": is_x86_feature_detected!("bmi2"),
        "f16c": is_x86_feature_detected!("f16c"),
        "lzcnt": is_x86_feature_detected!("lzcnt"),
        "popcnt": is_x86_feature_detected!("popcnt"),
        "sse4.2": is_x86_feature_detected!("sse4.2"),
        "avx512f": is_x86_feature_detected!("avx512f"),
        "avx512bw": is_x86_feature_detected!("avx512bw"),
        "avx512cd": is_x86_feature_detected!("avx512cd"),
        "avx512dq": is_x86_feature_detected!("avx512dq"),
        "avx512vl": is_x86_feature_detected!("avx512vl"),
        "avx512fp16": is_x86_feature_detected!("avx512fp16"),
        "avx512vnni": is_x86_feature_detected!("avx512vnni"),
    })
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn detected() -> Value {
    json!({})
}
