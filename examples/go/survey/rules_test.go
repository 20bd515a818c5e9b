package survey

import (
	"encoding/json"
	"os"
	"testing"
)

func TestCountsAsTheVectorsSay(t *testing.T) {
	text, err := os.ReadFile("../../survey-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Language                      string
		Content                             []byte `json:"content_base64"`
		Lines, Declarations, Imports, Todos int
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 25 {
		t.Fatalf("%d vectors (expected: at least 25)", len(vectors))
	}
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			want := Counts{vector.Lines, vector.Declarations, vector.Imports, vector.Todos}
			if got := Count(vector.Language, vector.Content); got != want {
				t.Errorf("%+v (expected: %+v)", got, want)
			}
		})
	}
}

func TestTheLastExtensionNamesTheLanguage(t *testing.T) {
	for file, want := range map[string]string{
		"a/b.kt": "java", "b.py": "python", "x.d.ts": "javascript", "x.hpp": "c", "x.PY": "other",
		"dir.go/file": "other", "Makefile": "other", ".sh": "shell", "x.": "other",
	} {
		if got := LanguageOf(file); got != want {
			t.Errorf("%s is %s (expected: %s)", file, got, want)
		}
	}
}
