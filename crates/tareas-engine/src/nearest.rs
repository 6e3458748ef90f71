//! Did you mean …? The known name that is nearest to a mistyped one.

use tareas_core::Kind;

/// The known kind with the fewest edits to `kind`, if it is near enough to be a slip.
pub fn nearest_name(kind: &Kind, known: Vec<Kind>) -> Option<Kind> {
    let word = kind.as_str();
    let limit = (word.len() / 3).max(1);
    known
        .into_iter()
        .map(|other| (edits(word.as_bytes(), other.as_str().as_bytes()), other))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Insertions, removals, replacements and swaps of neighbours that turn one word into the other.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for (i, &left) in a.iter().enumerate() {
        row[0] = i + 1;
        for (j, &right) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(left != right);
            row[j + 1] = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            let is_swap = i > 0 && j > 0 && left == b[j - 1] && a[i - 1] == right;
            if is_swap {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let known = || {
            ["square", "sumar", "sleep"]
                .map(|k| Kind::new(k).unwrap())
                .to_vec()
        };
        let near = |word: &str| nearest_name(&Kind::new(word).unwrap(), known());
        assert_eq!(near("sqaure").unwrap().as_str(), "square");
        assert_eq!(near("suma").unwrap().as_str(), "sumar");
        assert_eq!(near("resize"), None);
    }
}
