//! Size classes: how an extent is cut into blocks.

/// The block sizes, in granules, into which an extent may be cut. Steps are at most a quarter, as long as that gives
/// more blocks per extent. A size grows to use what the same number of blocks would leave over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Classes {
    sizes: Vec<u32>,
    extent_granules: u32,
    /// The class for each number of granules, which every put looks up.
    of: Vec<u8>,
}

impl Classes {
    /// Creates the classes of extents with `extent_granules` granules (at most 1,024 in the product).
    pub fn new(extent_granules: u32) -> Self {
        let extent_granules = extent_granules.max(1);
        let mut sizes = vec![1];
        while let Some(&size) = sizes.last().filter(|&&size| size < extent_granules) {
            let blocks = extent_granules / size;
            let wanted = extent_granules.div_ceil((size + 1).max(size + size / 4));
            sizes.push((extent_granules / wanted.min(blocks - 1)).max(size + 1));
        }
        let smallest = |granules| sizes.partition_point(|&size| size < granules) as u8 + 1;
        let of = (0..=extent_granules).map(smallest).collect();
        Self { sizes, extent_granules, of }
    }

    /// The smallest class whose blocks hold `granules`; `None` if the value is stored in pieces.
    #[inline]
    pub fn of(&self, granules: usize) -> Option<u8> {
        self.of.get(granules).copied()
    }

    /// The granules of a block of `class`; `None` for 0 and for a class that does not exist.
    pub fn granules(&self, class: u8) -> Option<u32> {
        self.sizes.get(usize::from(class).checked_sub(1)?).copied()
    }

    /// The number of blocks of `class` in an extent; 0 for a class that does not exist.
    pub fn blocks(&self, class: u8) -> u32 {
        self.granules(class).map_or(0, |size| self.extent_granules / size)
    }

    /// The number of classes, which are `1..=count`.
    pub fn count(&self) -> u8 {
        self.sizes.len() as u8
    }

    /// The class of a block that is a whole extent.
    pub fn whole(&self) -> u8 {
        self.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_rise_and_waste_little() {
        let classes = Classes::new(1024);
        assert!(classes.count() < 64);
        for class in 1..classes.count() {
            let (size, next) = (classes.granules(class).unwrap(), classes.granules(class + 1).unwrap());
            assert!(next > size);
            let one_block_fewer = classes.blocks(class + 1) + 1 == classes.blocks(class);
            assert!(
                next <= size + 1 || next <= size + size / 4 + size / 8 || one_block_fewer,
                "{size} -> {next}"
            );
            assert!(classes.blocks(class) * size <= 1024);
        }
        assert_eq!(classes.granules(classes.whole()), Some(1024));
    }

    #[test]
    fn a_size_gets_the_smallest_class_that_holds_it() {
        for extent in [1, 2, 4, 7, 64, 1024] {
            let classes = Classes::new(extent);
            for granules in 1..=extent as usize {
                let class = classes.of(granules).unwrap();
                assert!(classes.granules(class).unwrap() as usize >= granules);
                assert!(class == 1 || (classes.granules(class - 1).unwrap() as usize) < granules);
            }
            assert_eq!(classes.of(extent as usize + 1), None);
            assert_eq!((classes.granules(0), classes.granules(classes.count() + 1)), (None, None));
        }
    }
}
