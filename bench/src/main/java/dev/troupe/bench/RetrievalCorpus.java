package dev.troupe.bench;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Notes of an agent, with facts planted among them and questions to which one note is the answer.
 * Seeded: the same for everybody.
 *
 * <p>A fact says what a property of a person is. Half of the facts change later, and only the last
 * note about one answers its question. Around each fact are distractors: the same property of
 * others, other properties of the same person, and talk that holds no fact. Notes and questions use
 * any of three words for a property, so that two of three questions have another word than their
 * note.
 */
final class RetrievalCorpus {

  /**
   * A note.
   *
   * @param minute when it was made, from 0
   */
  record Note(String id, String text, int minute) {}

  /**
   * A question.
   *
   * @param answer the only note that is right
   */
  record Question(String text, String answer) {}

  private static final List<List<String>> PROPERTIES =
      List.of(
          List.of("employer", "company", "workplace"),
          List.of("residence", "home", "lives"),
          List.of("vehicle", "car", "automobile"),
          List.of("illness", "allergy", "ailment"),
          List.of("pastime", "hobby", "leisure"),
          List.of("meal", "dish", "food"),
          List.of("spouse", "partner", "married"),
          List.of("deadline", "due", "cutoff"),
          List.of("password", "secret", "credential"),
          List.of("language", "tongue", "speaks"),
          List.of("editor", "ide", "tooling"),
          List.of("manager", "boss", "supervisor"));

  private static final String[] FIRST = {
    "Ana", "Boris", "Chen", "Dalia", "Emil", "Farah", "Goran", "Hana", "Igor", "Jana", "Kofi",
    "Lena", "Milo", "Nadia", "Omar", "Petra", "Quinn", "Rosa", "Stefan", "Tara"
  };
  private static final String[] LAST = {
    "Abara",
    "Brandt",
    "Castillo",
    "Dvorak",
    "Eriksen",
    "Fontaine",
    "Gupta",
    "Haddad",
    "Ivanov",
    "Jansen"
  };
  private static final String[] TALK = {
    "the meeting was moved because the room was taken",
    "the build is green again after the cache was cleared",
    "thanks for the quick answer, that helped a lot",
    "let us look at the numbers again next week",
    "the weather is terrible and the train was late",
    "please remember to send the report before lunch"
  };
  private static final String[] SYLLABLES = {
    "ba", "do", "ki", "lu", "me", "no", "pra", "ri", "sto", "tu", "ve", "zan"
  };

  private final Random random;
  private final List<Note> notes = new ArrayList<>();
  private final List<Question> questions = new ArrayList<>();
  private final Map<Integer, String> firsts = new HashMap<>();

  /**
   * Makes one up.
   *
   * @param facts each about a person and a property of its own, up to 2,400
   */
  RetrievalCorpus(long seed, int facts) {
    random = new Random(seed);
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < FIRST.length * LAST.length * PROPERTIES.size(); i++) {
      all.add(i);
    }
    Collections.shuffle(all, random);
    List<Integer> planted = all.subList(0, facts);
    List<Integer> changing = planted.subList(0, facts / 2);
    planted.forEach(this::note);
    for (int i = 0; i < facts; i++) {
      add(person(random.nextInt(FIRST.length * LAST.length)) + " said: " + pick(TALK));
    }
    for (int fact : planted) {
      String about = changing.contains(fact) ? note(fact) : first(fact);
      List<String> words = PROPERTIES.get(fact % PROPERTIES.size());
      String word = words.get(random.nextInt(words.size()));
      questions.add(
          new Question(
              "what do we know about the " + word + " of " + person(fact / PROPERTIES.size()),
              about));
    }
  }

  List<Note> notes() {
    return notes;
  }

  List<Question> questions() {
    return questions;
  }

  /** Groups of words of one meaning. */
  static List<List<String>> synonyms() {
    return PROPERTIES;
  }

  private String first(int fact) {
    return requireNonNull(firsts.get(fact));
  }

  private String note(int fact) {
    List<String> words = PROPERTIES.get(fact % PROPERTIES.size());
    String id =
        add(
            "noted that for %s the %s is %s"
                .formatted(
                    person(fact / PROPERTIES.size()),
                    words.get(random.nextInt(words.size())),
                    value()));
    firsts.putIfAbsent(fact, id);
    return id;
  }

  private String add(String text) {
    String id = "note-" + notes.size();
    notes.add(new Note(id, text, notes.size()));
    return id;
  }

  private static String person(int number) {
    return FIRST[number % FIRST.length] + " " + LAST[number / FIRST.length % LAST.length];
  }

  private String value() {
    return pick(SYLLABLES) + pick(SYLLABLES) + pick(SYLLABLES) + pick(SYLLABLES);
  }

  private String pick(String[] from) {
    return from[random.nextInt(from.length)];
  }
}
