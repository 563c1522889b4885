//! The results of a training: summary.json, and its settings and figures as TensorBoard shows them.

pub(crate) mod diagnosis;
pub(crate) mod figures;
pub(crate) mod settings;
pub(crate) mod summary;
