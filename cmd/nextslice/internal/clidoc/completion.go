package clidoc

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Completion writes what makes a shell complete the names of commands and flags: bash, zsh or fish.
func Completion(w io.Writer, shell string, app *kong.Application) {
	switch shell {
	case "bash":
		bashCompletion(w, app)
	case "zsh":
		zshCompletion(w, app)
	case "fish":
		fishCompletion(w, app)
	}
}

// walk calls f for the program and every command that is not hidden, with the words that lead to it.
func walk(n *kong.Node, path []string, f func(path []string, n *kong.Node)) {
	f(path, n)
	for _, c := range Visible(n) {
		walk(c, append(path[:len(path):len(path)], c.Name), f)
	}
}

func names(commands []*kong.Node) (all []string) {
	for _, c := range commands {
		all = append(all, c.Name)
	}
	return all
}

// values returns what a flag or an argument can be, nil if it can be anything.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

func bashCompletion(w io.Writer, app *kong.Application) {
	fmt.Fprintf(w, `# bash completion for %[1]s
_%[1]s() {
  local cur=${COMP_WORDS[COMP_CWORD]} command="" word i commands="" flags="" values=""
  # A flag and its value may be three words: --flag = value.
  local prev=${COMP_WORDS[COMP_CWORD-1]}
  [[ $cur == = ]] && cur=""
  [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command/$word" in
`, app.Name)
	walk(app.Node, nil, func(path []string, n *kong.Node) {
		if len(path) > 0 {
			parent := strings.Join(path[:len(path)-1], " ")
			fmt.Fprintf(w, "      %q) command=%q ;;\n", parent+"/"+n.Name, strings.Join(path, " "))
		}
	})
	fmt.Fprint(w, "    esac\n  done\n  case \"$command\" in\n")
	walk(app.Node, nil, func(path []string, n *kong.Node) {
		var flags []string
		for _, f := range Flags(n) {
			flags = append(flags, "--"+f.Name)
		}
		words := names(Visible(n))
		for _, p := range n.Positional {
			words = append(words, values(p)...)
		}
		fmt.Fprintf(w, "    %q) commands=%q flags=%q ;;\n", strings.Join(path, " "), strings.Join(words, " "), strings.Join(flags, " "))
	})
	fmt.Fprint(w, "  esac\n  case \"$command $prev\" in\n")
	walk(app.Node, nil, func(path []string, n *kong.Node) {
		for _, f := range Flags(n) {
			if v := values(f.Value); v != nil {
				fmt.Fprintf(w, "    %q) values=%q ;;\n", strings.Join(path, " ")+" --"+f.Name, strings.Join(v, " "))
			}
		}
	})
	fmt.Fprintf(w, `  esac
  if [[ $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _%[1]s %[1]s
`, app.Name)
}

// quoted puts text in single quotes for zsh and fish.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `'\''`).Replace(s) + "'"
}

func zshCompletion(w io.Writer, app *kong.Application) {
	plain := strings.NewReplacer("[", "(", "]", ")", ":", `\:`, "\n", " ")
	fmt.Fprintf(w, "#compdef %s\n# zsh completion for %[1]s\n", app.Name)
	function := func(path []string) string { return strings.Join(append([]string{"_" + app.Name}, path...), "_") }
	walk(app.Node, nil, func(path []string, n *kong.Node) {
		name := strings.ReplaceAll(function(path), "-", "_")
		fmt.Fprintf(w, "%s() {\n", name)
		if commands := Visible(n); len(commands) > 0 {
			fmt.Fprint(w, "  local -a commands=(\n")
			for _, c := range commands {
				fmt.Fprintf(w, "    %s\n", quoted(c.Name+":"+c.Help))
			}
			fmt.Fprint(w, "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n  shift words; (( CURRENT-- ))\n  case $words[1] in\n")
			for _, c := range commands {
				fmt.Fprintf(w, "    %s) %s_%s ;;\n", c.Name, name, strings.ReplaceAll(c.Name, "-", "_"))
			}
			fmt.Fprint(w, "  esac\n}\n")
			return
		}
		fmt.Fprint(w, "  _arguments -S \\\n")
		for _, f := range Flags(n) {
			spec := "--" + f.Name
			if !f.IsBool() {
				spec += "="
			}
			spec += "[" + plain.Replace(f.Help) + "]"
			if !f.IsBool() {
				spec += ":" + plain.Replace(f.FormatPlaceHolder()) + ":" + zshValues(f.Value)
			}
			fmt.Fprintf(w, "    %s \\\n", quoted(spec))
		}
		what := "_files"
		if len(n.Positional) > 0 {
			what = zshValues(n.Positional[0])
		}
		fmt.Fprintf(w, "    %s\n}\n", quoted("*: :"+what))
	})
	fmt.Fprintf(w, "_%s \"$@\"\n", app.Name)
}

func zshValues(v *kong.Value) string {
	if all := values(v); all != nil {
		return "(" + strings.Join(all, " ") + ")"
	}
	return "_files"
}

func fishCompletion(w io.Writer, app *kong.Application) {
	fmt.Fprintf(w, "# fish completion for %s\n", app.Name)
	walk(app.Node, nil, func(path []string, n *kong.Node) {
		condition := "__fish_use_subcommand"
		if len(path) > 0 {
			var seen []string
			for _, word := range path {
				seen = append(seen, "__fish_seen_subcommand_from "+word)
			}
			condition = strings.Join(seen, "; and ")
		}
		for _, c := range Visible(n) {
			only := condition
			if len(path) > 0 {
				only += "; and not __fish_seen_subcommand_from " + strings.Join(names(Visible(n)), " ")
			}
			fmt.Fprintf(w, "complete -c %s -f -n %s -a %s -d %s\n", app.Name, quoted(only), c.Name, quoted(c.Help))
		}
		if len(path) == 0 {
			return
		}
		for _, f := range Flags(n) {
			fmt.Fprintf(w, "complete -c %s -n %s -l %s -d %s", app.Name, quoted(condition), f.Name, quoted(strings.ReplaceAll(f.Help, "\n", " ")))
			switch v := values(f.Value); {
			case v != nil:
				fmt.Fprintf(w, " -x -a %s", quoted(strings.Join(v, " ")))
			case !f.IsBool():
				fmt.Fprint(w, " -r")
			}
			fmt.Fprintln(w)
		}
		for _, p := range n.Positional {
			if v := values(p); v != nil {
				fmt.Fprintf(w, "complete -c %s -f -n %s -a %s\n", app.Name, quoted(condition), quoted(strings.Join(v, " ")))
			}
		}
	})
}
