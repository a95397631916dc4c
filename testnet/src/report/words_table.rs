//! Strings that a run has many times over, kept once.

use std::collections::HashMap;
use std::sync::Arc;

use super::run::Word;

/// Strings kept once each and named by a number.
#[derive(Debug, Default)]
pub(crate) struct Words {
    index: HashMap<Arc<str>, Word>,
    words: Vec<Arc<str>>,
}

impl Words {
    /// The number of `word`, which is given one if it has none.
    ///
    /// # Panics
    ///
    /// When there are more than four thousand million of them.
    pub(crate) fn intern(&mut self, word: &str) -> Word {
        if let Some(&known) = self.index.get(word) {
            return known;
        }
        let next = Word::try_from(self.words.len()).expect("fewer words than 2^32");
        let word: Arc<str> = word.into();
        self.words.push(Arc::clone(&word));
        self.index.insert(word, next);
        next
    }

    /// The word with this number.
    pub(crate) fn get(&self, word: Word) -> &str {
        &self.words[word as usize]
    }

    /// The number of `word`, if it has one.
    pub(crate) fn find(&self, word: &str) -> Option<Word> {
        self.index.get(word).copied()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }
}
