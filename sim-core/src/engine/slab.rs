//! Numbered storage with reused numbers.

/// A vector with holes.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// # Panics
    /// If it already contains 2^32 elements.
    #[inline]
    pub fn insert(&mut self, thing: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.entries[index as usize] = Some(thing);
            return index;
        }
        self.entries.push(Some(thing));
        u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 elements")
    }

    /// # Panics
    /// If there is no element with this number.
    #[inline]
    pub fn take(&mut self, index: u32) -> T {
        self.free.push(index);
        self.entries[index as usize].take().expect("a scheduled item exists")
    }

    pub fn get(&self, index: u32) -> Option<&T> {
        self.entries.get(index as usize)?.as_ref()
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flatten()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn entries_are_counted_seen_taken_and_forgotten() {
        let mut slab = Slab::default();
        let places = ["a", "b", "c"].map(|entry| slab.insert(entry));
        assert_eq!((slab.len(), slab.iter().copied().collect::<String>()), (3, "abc".to_owned()));
        assert_eq!(slab.take(places[1]), "b");
        assert_eq!((slab.len(), slab.get(places[1]), slab.get(9)), (2, None, None));
        assert_eq!(slab.iter().copied().collect::<String>(), "ac");
        // A free place is used again.
        assert_eq!(slab.insert("d"), places[1]);
        assert_eq!(slab.iter().copied().collect::<String>(), "adc");
        slab.clear();
        assert_eq!((slab.len(), slab.iter().count()), (0, 0));
        assert_eq!(slab.insert("e"), places[0]);
    }
}
