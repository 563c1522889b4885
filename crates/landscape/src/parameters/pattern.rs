//! Parameters chosen by patterns of their paths.

use super::{Block, ParameterSpace};
use crate::error::Error;

/// Paths that an error lists, at most.
const LISTED: usize = 20;

impl ParameterSpace {
    /// Returns the blocks whose path matches `pattern`, in order: `*` stands for any characters,
    /// dots included, or none, and `?` for one. `conv*.weight` matches `conv1.weight` and
    /// `conv2.0.weight`, `*.bias` every bias inside a layer.
    ///
    /// A parameter that is used in several places matches by the path of any.
    ///
    /// # Errors
    /// [`Error::NoSuchParameter`] where nothing matches, with the pattern and the paths there are.
    ///
    /// # Examples
    /// ```
    /// use burn::nn::LinearConfig;
    /// use burn::tensor::Device;
    /// use landscape::ParameterSpace;
    ///
    /// let model = LinearConfig::new(2, 3).init(&Device::flex());
    /// let space = ParameterSpace::of(&model)?;
    /// assert_eq!(space.matching("b*")?[0].shape, [3]);
    /// assert!(space.matching("*.gamma").is_err());
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn matching(&self, pattern: &str) -> Result<Vec<&Block>, Error> {
        let indices = self.matching_indices(pattern)?;
        Ok(indices
            .into_iter()
            .map(|index| &self.blocks[index])
            .collect())
    }

    /// Returns the positions of the blocks that match.
    ///
    /// # Errors
    /// As [`matching`](Self::matching).
    pub(crate) fn matching_indices(&self, pattern: &str) -> Result<Vec<usize>, Error> {
        let indices: Vec<usize> = (0..self.blocks.len())
            .filter(|&index| {
                let mut places = self.places[index].iter();
                matches(pattern, &self.blocks[index].path)
                    || places.any(|place| matches(pattern, place))
            })
            .collect();
        if indices.is_empty() {
            return Err(Error::NoSuchParameter {
                pattern: pattern.to_owned(),
                paths: self.listed_paths(),
            });
        }
        Ok(indices)
    }

    fn listed_paths(&self) -> String {
        let paths = self.blocks.iter().map(|block| format!("`{}`", block.path));
        let mut listed: Vec<String> = paths.take(LISTED).collect();
        if self.blocks.len() > LISTED {
            listed.push(format!("and {} more", self.blocks.len() - LISTED));
        }
        listed.join(", ")
    }
}

/// Returns whether the whole of `path` matches `pattern`.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), path.chars().collect());
    let (mut p, mut t) = (0, 0);
    // The last star, and the place in the path up to which it reaches; going back to an earlier
    // one never helps, since the last can take whatever that would.
    let mut star: Option<(usize, usize)> = None;
    while t < path.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == path[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    p = at + 1;
                    t = reached + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_a_shell_does_but_for_dots() {
        let cases = [
            ("conv*.weight", "conv1.weight", true),
            ("conv*.weight", "conv.weight", true),
            ("conv*.weight", "conv2.0.weight", true),
            ("conv*.weight", "conv1.bias", false),
            ("conv*.weight", "my.conv1.weight", false),
            ("*.bias", "layers.0.bias", true),
            ("*.bias", "bias", false),
            ("*", "", true),
            ("*", "anything.at.all", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("layers.?.weight", "layers.3.weight", true),
            ("layers.?.weight", "layers.13.weight", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3c4", false),
            ("**x", "x", true),
            ("weight", "weight", true),
            ("weight", "weights", false),
            ("é?", "éa", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
        }
    }
}
