// Package survey counts what a source file holds, as examples/survey-rules.md says, and does so
// for the tasks of a queue.
package survey

import (
	"bytes"
	"path"
)

// Counts is what one file holds.
type Counts struct {
	Lines, Declarations, Imports, Todos int
}

const blanks = " \t\r\f\v"

var languages = map[string]string{
	".java": "java", ".kt": "java",
	".py": "python",
	".go": "go",
	".js": "javascript", ".mjs": "javascript", ".ts": "javascript", ".tsx": "javascript", ".jsx": "javascript",
	".c": "c", ".h": "c", ".cc": "c", ".cpp": "c", ".hpp": "c",
	".rs":    "rust",
	".lua":   "lua",
	".sh":    "shell",
	".proto": "proto",
}

var declarations = map[string]func([]byte) bool{
	"java":       declaresJava,
	"python":     starts("def ", "async def ", "class "),
	"go":         starts("func ", "type "),
	"javascript": starts("function ", "class ", "export "),
	"c":          starts("struct ", "typedef ", "enum ", "#define "),
	"rust":       starts("fn ", "pub ", "struct ", "enum ", "impl ", "trait "),
	"lua":        starts("function ", "local function "),
	"shell":      func(line []byte) bool { return bytes.HasSuffix(line, []byte("() {")) },
	"proto":      starts("message ", "service ", "enum ", "rpc "),
}

var imports = map[string]func([]byte) bool{
	"java":       starts("import "),
	"python":     starts("import ", "from "),
	"javascript": either(starts("import "), contains("require(")),
	"c":          starts("#include"),
	"rust":       starts("use "),
	"lua":        either(contains("require("), contains("require ")),
	"shell":      starts("source ", ". "),
	"proto":      starts("import "),
}

// LanguageOf names the language of a file by the last extension of its name.
func LanguageOf(file string) string {
	if language, known := languages[path.Ext(file)]; known {
		return language
	}
	return "other"
}

// Count counts one file. An unknown language has neither declarations nor imports.
func Count(language string, content []byte) Counts {
	declares := orNever(declarations[language])
	isImport := orNever(imports[language])
	if language == "go" {
		isImport = goImports()
	}
	todo := either(contains("TODO"), contains("FIXME"))
	var counts Counts
	for len(content) > 0 {
		line, rest, _ := bytes.Cut(content, []byte{'\n'})
		content = rest
		line = trim(line)
		counts.Lines++
		if declares(line) {
			counts.Declarations++
		}
		if isImport(line) {
			counts.Imports++
		}
		if todo(line) {
			counts.Todos++
		}
	}
	return counts
}

// trim works on bytes, where bytes.Trim would decode runes.
func trim(line []byte) []byte {
	for len(line) > 0 && bytes.IndexByte([]byte(blanks), line[0]) >= 0 {
		line = line[1:]
	}
	for len(line) > 0 && bytes.IndexByte([]byte(blanks), line[len(line)-1]) >= 0 {
		line = line[:len(line)-1]
	}
	return line
}

func orNever(test func([]byte) bool) func([]byte) bool {
	if test == nil {
		return func([]byte) bool { return false }
	}
	return test
}

func starts(prefixes ...string) func([]byte) bool {
	return func(line []byte) bool {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(line, []byte(prefix)) {
				return true
			}
		}
		return false
	}
}

func contains(part string) func([]byte) bool {
	return func(line []byte) bool { return bytes.Contains(line, []byte(part)) }
}

func either(one, other func([]byte) bool) func([]byte) bool {
	return func(line []byte) bool { return one(line) || other(line) }
}

// goImports remembers from line to line whether it is within a block.
func goImports() func([]byte) bool {
	begins := starts("import (")
	single := starts("import ")
	comment := starts("//")
	inBlock := false
	return func(line []byte) bool {
		switch {
		case inBlock && string(line) == ")":
			inBlock = false
			return false
		case inBlock:
			return len(line) > 0 && !comment(line)
		case begins(line):
			inBlock = true
			return false
		default:
			return single(line)
		}
	}
}

func declaresJava(line []byte) bool {
	if bytes.IndexByte(line, '{') < 0 || starts("*", "//", "/*")(line) {
		return false
	}
	for begin := 0; begin < len(line); {
		end := begin
		for end < len(line) && isWord(line[end]) {
			end++
		}
		switch string(line[begin:end]) {
		case "class", "interface", "enum", "record":
			return true
		}
		begin = end + 1
	}
	return false
}

func isWord(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_'
}
