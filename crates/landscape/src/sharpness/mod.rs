//! Measures of how the loss rises around a model.

mod average;
mod ball;
mod compare;
mod curvature;
mod losses;
mod projected_ascent;
mod random_ball;
mod report;
mod sam;
mod scale;

pub use average::{AverageConfig, AverageSharpness, SecondOrder, average_sharpness};
pub use ball::{Ball, BallNorm};
pub use compare::{ComparisonRow, MinimaComparison, compare_minima};
pub use curvature::{CurvatureConfig, CurvatureSummary, Eigenvalue, curvature_summary};
pub use projected_ascent::{AscentConfig, ProjectedAscent, projected_ascent};
pub use random_ball::{RandomBall, RandomBallConfig, random_ball, random_ball_along};
pub use report::{BallSharpness, Certainty, Measure, SharpnessConfig, SharpnessReport, sharpness};
pub use sam::{SamPeak, SamSharpness, adaptive_sam_sharpness, sam_peak, sam_sharpness};
pub use scale::{Rescaling, Scale, ScaledTensors};
