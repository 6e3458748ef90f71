//! Values between two bounds.

/// Values between two bounds, both of them included; a bound that is absent excludes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// The lowest.
    pub from: Option<T>,
    /// The highest.
    pub to: Option<T>,
}

impl<T> Default for Span<T> {
    fn default() -> Self {
        let (from, to) = (None, None);
        Self { from, to }
    }
}

impl<T: PartialOrd + Copy> Span<T> {
    /// Whether a value lies within.
    pub fn contains(&self, value: &T) -> bool {
        self.from.is_none_or(|from| from <= *value) && self.to.is_none_or(|to| *value <= to)
    }

    /// Whether every value does.
    pub const fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// What lies within both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let higher = |one: T, two: T| if one < two { two } else { one };
        let lower = |one: T, two: T| if two < one { two } else { one };
        Self {
            from: both(self.from, other.from, higher),
            to: both(self.to, other.to, lower),
        }
    }

    /// The one value that lies within, if it is one.
    pub fn only(&self) -> Option<T> {
        self.from.filter(|from| self.to == Some(*from))
    }
}

fn both<T>(one: Option<T>, two: Option<T>, choose: impl Fn(T, T) -> T) -> Option<T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(choose(one, two)),
        (one, two) => one.or(two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_included_and_meet() {
        let span = |from, to| Span { from, to };
        let open = Span::<u8>::default();
        assert!(open.is_open() && open.contains(&0) && open.only().is_none());
        let some = span(Some(2), Some(5));
        assert!(
            [2, 5].iter().all(|n| some.contains(n)) && ![1, 6].iter().any(|n| some.contains(n))
        );
        assert_eq!(some.and(span(Some(4), None)), span(Some(4), Some(5)));
        assert_eq!(some.and(span(Some(5), Some(9))).only(), Some(5));
    }
}
