package dev.troupe.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Stands in for a model of language: words that mean the same have a direction in common, besides
 * one of their own and those of their letters. It knows the meanings that it is told, and nothing
 * of order or grammar, so its figures say how legs are fused, not how good a real model is.
 */
final class StandInEmbedding {

  static final int DIMENSION = 384;

  private static final double MEANING = 1;
  private static final double WORD = 0.6;
  private static final double LETTERS = 0.25;

  private final Map<String, Integer> meanings = new HashMap<>();

  /** With groups of words that mean the same. */
  StandInEmbedding(List<List<String>> synonyms) {
    for (int i = 0; i < synonyms.size(); i++) {
      for (String word : synonyms.get(i)) {
        meanings.put(word, i);
      }
    }
  }

  float[] of(String text) {
    double[] sum = new double[DIMENSION];
    for (String word : text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+", -1)) {
      Integer meaning = meanings.get(word);
      if (meaning != null) {
        add(sum, "meaning " + meaning, MEANING);
      }
      if (word.length() > 3) {
        add(sum, word, WORD);
        for (int i = 0; i + 3 <= word.length(); i++) {
          add(sum, "letters " + word.substring(i, i + 3), LETTERS);
        }
      }
    }
    float[] vector = new float[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) sum[i];
    }
    return vector;
  }

  private static void add(double[] sum, String what, double weight) {
    Random direction = new Random(what.hashCode() * 2654435761L);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * (direction.nextBoolean() ? 1 : -1);
    }
  }
}
