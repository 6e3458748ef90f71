//! "Did you mean …?": the candidate that a mistyped word is nearest to.

/// Longer words are not compared: nobody mistypes them, and the cost is quadratic.
const WORD_CHARS_MAX: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be what was meant.
///
/// Near is a Damerau-Levenshtein distance (restricted: no piece is edited twice) of at most a
/// third of the word's length, one at least; case does not count. Of equally near candidates
/// the first wins.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = folded(word);
    if word.is_empty() || word.len() > WORD_CHARS_MAX {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> Vec<char> {
    word.chars()
        .flat_map(char::to_lowercase)
        .take(WORD_CHARS_MAX + 1)
        .collect()
}

/// How many insertions, deletions, replacements and swaps of neighbours lead from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits_and_swaps() {
        let table = [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("priority", "prioirty", 1),
            ("ñandú", "nandu", 2),
        ];
        for (a, b, edits) in table {
            assert_eq!(distance(&folded(a), &folded(b)), edits, "{a} {b}");
        }
    }

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let kinds = ["square", "sumar", "restar", "sleep"];
        assert_eq!(nearest("sqaure", kinds), Some("square"));
        assert_eq!(nearest("Suma", kinds), Some("sumar"));
        assert_eq!(nearest("teleport", kinds), None);
        assert_eq!(nearest("", kinds), None);
        assert_eq!(nearest("x", ["n"]), None);
    }
}
