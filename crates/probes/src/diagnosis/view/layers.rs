//! Numbers by layer.

use super::View;
use crate::diagnosis::series::Series;

impl<'a> View<'a> {
    /// Returns the norms of the gradient by layer at the first step at which they were measured,
    /// in the natural order of their paths.
    pub(crate) fn first_layers(&self) -> Option<(u64, Vec<(&'a str, f64)>)> {
        let mut layers = self.family("gradient/layer/", "", Series::first);
        let step = layers.iter().map(|(_, (step, _))| *step).min()?;
        layers.retain(|(_, (at, _))| *at == step);
        Some((
            step,
            layers.into_iter().map(|(path, (_, v))| (path, v)).collect(),
        ))
    }

    /// Returns the largest singular value of each layer's weights at the first step at which they
    /// were measured; layers without a weight matrix are not among them.
    pub(crate) fn first_weights(&self) -> Vec<(&'a str, (u64, f64))> {
        let mut weights = self.family("weights/", "/spectral_norm", Series::first);
        let step = weights.iter().map(|(_, (step, _))| *step).min();
        weights.retain(|(_, (at, norm))| Some(*at) == step && norm.is_finite());
        weights
    }

    /// Returns whether the scale of the layers alone explains that their gradients span more than
    /// `span`. Where a layer's weights are multiplied and another's divided, so that the function
    /// stays, the product of a layer's weights and gradient stays too (Du, Hu and Lee 2018).
    pub(crate) fn is_scale(&self, layers: &[(&str, f64)], span: f64) -> bool {
        let weights = self.first_weights();
        let product = |(path, gradient): &(&str, f64)| {
            let found = weights.iter().find(|(layer, _)| layer == path);
            found.map(|(_, (_, norm))| norm * gradient)
        };
        let products: Vec<f64> = layers.iter().filter_map(product).collect();
        let largest = products.iter().copied().fold(0.0, f64::max);
        let smallest = products.iter().copied().fold(f64::INFINITY, f64::min);
        products.len() > 1 && smallest > 0.0 && largest <= span * smallest
    }

    /// Returns the product of the largest singular values of all weight matrices at the start, if
    /// the weights are so small that the outputs hardly depend on the inputs: the product is below
    /// `1 / span`, and no layer but one gets a tenth of the largest gradient.
    ///
    /// The product bounds by how much of a change of the inputs the outputs change, in a network of
    /// layers one after another whose activations have slopes up to 1 (Szegedy et al. 2014,
    /// section 4.3). Skip connections and normalisation go around that bound, and then more than
    /// the last layer gets a gradient.
    pub(crate) fn weak_signal(&self, span: f64) -> Option<(u64, f64)> {
        let weights = self.first_weights();
        let (_, (step, _)) = *weights.first()?;
        let product: f64 = weights.iter().map(|(_, (_, norm))| norm).product();
        let (_, layers) = self.first_layers()?;
        let mut norms: Vec<f64> = layers.into_iter().map(|(_, norm)| norm).collect();
        norms.sort_by(|a, b| b.total_cmp(a));
        let [largest, next, ..] = norms[..] else {
            return None;
        };
        let is_weak = product < 1.0 / span && 10.0 * next <= largest;
        is_weak.then_some((step, product))
    }

    /// Returns what `pick` gives of all scalars with the prefix and the suffix, by what lies
    /// between, in natural order.
    pub(crate) fn family(
        &self,
        prefix: &str,
        suffix: &str,
        pick: impl Fn(&Series) -> Option<(u64, f64)>,
    ) -> Vec<(&'a str, (u64, f64))> {
        let all = self.facts.series.iter().filter_map(|(tag, series)| {
            let name = tag.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let name = name.strip_suffix('/').unwrap_or(name);
            Some((name, pick(series)?))
        });
        let mut all: Vec<_> = all.filter(|(name, _)| !name.is_empty()).collect();
        all.sort_by_key(|(name, _)| natural(name));
        all
    }
}

/// Returns a path in pieces that compare in the natural order: "layers/2" before "layers/10".
fn natural(path: &str) -> Vec<(u64, String)> {
    path.split(['/', '.'])
        .map(|piece| {
            let letters = piece.trim_end_matches(|letter: char| letter.is_ascii_digit());
            let number = piece[letters.len()..].parse().unwrap_or(0);
            (number, letters.to_owned())
        })
        .map(|(number, letters)| {
            if letters.is_empty() {
                (number, letters)
            } else {
                // Names compare before numbers at their end.
                (0, format!("{letters}{number:020}"))
            }
        })
        .collect()
}
