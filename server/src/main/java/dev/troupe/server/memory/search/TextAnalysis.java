package dev.troupe.server.memory.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/** Makes terms of text, the same way for items and for queries. */
final class TextAnalysis extends Analyzer {

  /** Terms of a query beyond these are ignored: each costs time, and by then they tell little. */
  static final int MAX_QUERY_TERMS = 128;

  private final IndexSettings.Language language;

  TextAnalysis(IndexSettings.Language language) {
    this.language = language;
  }

  @Override
  protected TokenStreamComponents createComponents(String field) {
    Tokenizer words = new StandardTokenizer();
    return new TokenStreamComponents(
        words,
        switch (language) {
          case ANY -> new ASCIIFoldingFilter(new LowerCaseFilter(words));
          case ENGLISH ->
              new PorterStemFilter(
                  new ASCIIFoldingFilter(
                      new StopFilter(
                          new LowerCaseFilter(new EnglishPossessiveFilter(words)),
                          EnglishAnalyzer.ENGLISH_STOP_WORDS_SET)));
        });
  }

  /** The first distinct terms of a query, with how often each occurs in it. */
  Map<String, Integer> terms(String text) {
    Map<String, Integer> terms = new LinkedHashMap<>();
    try (TokenStream tokens = tokenStream("", text)) {
      CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
      tokens.reset();
      while (tokens.incrementToken()) {
        String word = term.toString();
        if (terms.size() < MAX_QUERY_TERMS || terms.containsKey(word)) {
          terms.merge(word, 1, Integer::sum);
        }
      }
      tokens.end();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return terms;
  }
}
