package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// waits are calls for which a transaction must not be kept open: they wait for somebody.
var waits = []string{
	"Write", "WriteString", "WriteJSON", "WriteFault", "WriteHeader", "Flush", "Copy", "CopyN", "Fprint", "Fprintf", "Fprintln", "ReadAll", "ReadFull",
	"Read", "Reader", "Do", "Dial", "DialContext", "Ping", "send", "sendFrame", "do", "Lock", "RLock", "Wait", "Sleep", "Acquire",
}

// draws are calls that give something else each time: they do not belong into what may run twice.
var draws = []string{"Now", "now", "Random", "newID", "Make", "MustNew"}

// What runs in a transaction waits for nobody: no channel, no socket, no lock. What runs in one that writes also draws
// neither time nor chance. This looks at the text of every closure that is handed to a store; what those call is looked at
// by the tests that hold a reader still, and by running each closure twice.
func TestSI4_ClosuresOfTransactionsWaitForNobody(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := called(call)
			for _, a := range call.Args {
				fn, ok := a.(*ast.FuncLit)
				if !ok || !takesTx(fn) || !slices.Contains([]string{"View", "Update", "view", "update", "look", "each", "eachAccount"}, name) {
					continue
				}
				seen++
				for _, what := range offences(fn, !strings.EqualFold(name, "view")) {
					t.Errorf("%s: a closure of %s %s", set.Position(fn.Pos()), name, what)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 80 {
		t.Errorf("only %d closures were found", seen)
	}
}

func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		if f.Name != "do" { // what somebody was given to do; c.do hands something to a connection
			return f.Name
		}
	}
	return ""
}

func takesTx(fn *ast.FuncLit) bool {
	for _, p := range fn.Type.Params.List {
		if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Tx" {
			return true
		}
	}
	return false
}

// offences lists what a closure does that it must not. What it hands to After runs later, and may.
func offences(fn *ast.FuncLit, writes bool) (out []string) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt:
			out = append(out, "uses a channel or a goroutine")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				out = append(out, "waits for a channel")
			}
		case *ast.CallExpr:
			name := called(n)
			switch {
			case name == "After":
				return false
			case slices.Contains(waits, name):
				out = append(out, "calls "+name)
			case writes && slices.Contains(draws, name):
				out = append(out, "draws something from "+name)
			}
		}
		return true
	})
	return out
}

// The test above sees what it is to see.
func TestClosuresThatWaitAreFound(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"ch <- 1": 1, "<-ch": 1, "w.Write(nil)": 1, "c.send(ctx, m)": 1, "mu.Lock()": 1, "x := s.cfg.Now()": 1, "go f()": 1,
		"tx.After(func() { ch <- 1 })": 0, "tx.Boards().Put(rec)": 0,
	} {
		e, err := parser.ParseExpr("func(tx store.Tx) error { " + body + "; return nil }")
		if err != nil {
			t.Fatal(err)
		}
		if fn, ok := e.(*ast.FuncLit); !ok || !takesTx(fn) || len(offences(fn, true)) != want {
			t.Errorf("%s: %v", body, offences(fn, true))
		}
	}
}
