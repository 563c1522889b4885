//! The flags that the commands on landscapes share.

use clap::Args;

use crate::config::bounded::{AboveOne, Bounded, Positive};
use crate::config::reach::Reach;
use crate::config::slice_choice::{
    Directions, Export, Normalisation, Split, Statistics, Theme, Vectors,
};
use crate::engine::slices::Place;
use crate::failure::usage;

const WHAT: &str = "What is measured";
const WHERE: &str = "Directions and coordinates";
const HOW: &str = "Pictures and numbers";

/// The quantities at each point, and the form of pictures and numbers.
#[derive(Args)]
pub(crate) struct Shown {
    /// Parts of the data, with commas between them
    #[arg(long, value_enum, value_name = "SPLIT,..", value_delimiter = ',', help_heading = WHAT)]
    splits: Vec<Split>,
    /// Measure losses only
    #[arg(long, help_heading = WHAT)]
    no_accuracy: bool,
    /// Colours of the pictures
    #[arg(long, value_enum, value_name = "light|dark", hide_possible_values = true, default_value_t = Theme::Light, help_heading = HOW)]
    pub(crate) theme: Theme,
    /// Files of numbers: csv, json, npy (NumPy), vtk (ParaView), with commas between them
    #[arg(long, value_enum, value_name = "FORMAT,..", value_delimiter = ',', hide_possible_values = true, default_value = "csv,json", help_heading = HOW)]
    export: Vec<Export>,
}

impl Shown {
    /// Returns the splits in the order of the tables, each once; those that are usual where none is
    /// named.
    pub(crate) fn splits(&self, usual: &[Split]) -> Vec<Split> {
        let named = if self.splits.is_empty() {
            usual
        } else {
            &self.splits
        };
        let all = [Split::Training, Split::Validation, Split::Test];
        all.into_iter()
            .filter(|split| named.contains(split))
            .collect()
    }

    /// Returns whether accuracies are measured where the workload has them.
    pub(crate) const fn accuracy(&self) -> bool {
        !self.no_accuracy
    }

    /// Returns the files of numbers, each form once.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let all = [Export::Csv, Export::Json, Export::Npy, Export::Vtk];
        all.into_iter()
            .filter(|form| self.export.contains(form))
            .collect()
    }
}

/// The place of a slice, and how far it reaches.
#[derive(Args)]
pub(crate) struct Slicing {
    /// Directions from each model: random, eigenvectors, gradient, ascent (SAM's)
    #[arg(long, value_enum, value_name = "KIND", hide_possible_values = true, default_value_t = Directions::Random, help_heading = WHERE)]
    directions: Directions,
    /// Scale of the directions: filter, layer, global or none [default: filter for random ones,
    /// none for others]
    #[arg(long, value_enum, value_name = "SCALE", hide_possible_values = true, help_heading = WHERE)]
    normalisation: Option<Normalisation>,
    /// Biases, and scales and shifts of norm layers, in filter and layer normalisation: ignore (at
    /// rest) or copy (the weight itself)
    #[arg(long, value_enum, value_name = "ignore|copy", hide_possible_values = true, default_value_t = Vectors::Ignore, help_heading = WHERE)]
    vectors: Vectors,
    /// Radius of the ascent
    #[arg(long, value_name = "X", default_value = "0.05", help_heading = WHERE)]
    rho: Bounded<Positive>,
    /// Slice between the models: a line through two, a plane through three. They are at 0 and 1,
    /// or at (0, 0), (1, 0) and (0, 1)
    #[arg(long, conflicts_with_all = ["directions", "normalisation", "vectors", "rho"], help_heading = WHERE)]
    through: bool,
    /// Running statistics of BatchNorm between models: recompute (at each point, from the sample
    /// of the training data), interpolate or keep
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true, default_value_t = Statistics::Recompute, requires = "through", help_heading = WHERE)]
    statistics: Statistics,
    /// Coordinates, in multiples of the directions: X for -X to X, or LOW:HIGH [default: 1;
    /// between models about -0.25:1.25, so that the models are points of the grid]
    #[arg(long, value_name = "X|LOW:HIGH", allow_hyphen_values = true, help_heading = WHERE)]
    range: Option<Reach>,
    /// Coordinates up to where the loss has risen to FACTOR times that of the centre
    #[arg(long, value_name = "FACTOR", conflicts_with_all = ["range", "through"], help_heading = WHERE)]
    adapt: Option<Bounded<AboveOne>>,
}

impl Slicing {
    /// Checks that a slice through models has one more of them than it has directions.
    ///
    /// # Errors
    /// A usage error that says how many there are and how they are given.
    pub(crate) fn check(&self, models: usize, directions: usize) -> anyhow::Result<()> {
        if !self.through || models == directions + 1 {
            return Ok(());
        }
        let (what, wanted, example) = match directions {
            1 => ("a line", "two", "--step 0,34, or two runs"),
            _ => ("a plane", "three", "--step 0,17,34, or three runs"),
        };
        Err(usage(format!(
            "--through: {what} goes through {wanted} models, and there are {models}; give {wanted}: {example}"
        )))
    }

    /// Returns the place of the slice.
    pub(crate) fn place(&self, orthogonal: bool, seed: u64) -> Place {
        if self.through {
            return Place::Through {
                statistics: self.statistics,
            };
        }
        let usual = match self.directions {
            Directions::Random => Normalisation::Filter,
            _ => Normalisation::None,
        };
        Place::Along {
            directions: self.directions,
            normalisation: self.normalisation.unwrap_or(usual),
            vectors: self.vectors,
            orthogonal,
            rho: self.rho.get(),
            seed,
        }
    }

    /// Returns the coordinates of so many points; none where they are adapted.
    pub(crate) fn reach(&self, points: usize) -> Option<Reach> {
        let usual = || match self.through {
            true => between_models(points),
            false => Reach::around(1.0),
        };
        self.adapt
            .is_none()
            .then(|| self.range.unwrap_or_else(usual))
    }

    /// Returns the factor by which the loss rises up to the last coordinates.
    pub(crate) fn adapt(&self) -> Option<f64> {
        self.adapt.map(Bounded::get)
    }
}

/// Returns about -0.25 to 1.25, so that 0 and 1 are among so many equally spaced points.
#[expect(clippy::cast_precision_loss, reason = "a number of points of a grid")]
fn between_models(points: usize) -> Reach {
    let intervals = points - 1;
    // Two thirds of the intervals lie between the models.
    let inside = (2 * intervals).div_ceil(3);
    let before = (intervals - inside) / 2;
    let place = |interval: usize| (interval as f64 - before as f64) / inside as f64;
    Reach::new(place(0), place(intervals)).expect("there are two points or more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_points_of_every_grid_between_them() {
        for points in 2..200 {
            let range = between_models(points).range();
            let axis = landscape::slice::linspace(range, points);
            for model in [0.0, 1.0] {
                let nearest = axis.iter().map(|x| (x - model).abs()).fold(1.0, f64::min);
                assert!(nearest < 1e-14, "{points} points: {nearest}");
            }
        }
        assert_eq!(between_models(31).range(), -0.25..=1.25);
    }
}
