package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/nextslice/nextslice/internal/syserr"
	"github.com/nextslice/nextslice/query"
)

// Exit codes.
const (
	done   = 0
	failed = 1
	misuse = 2

	underWay = 3 // of status: nothing is wrong, and not all is finished
)

// commands is the command line. Each command has a file of its own.
type commands struct {
	Demo           demoCommand           `cmd:"" help:"Simulate on synthetic volumes, for a first look."`
	Simulate       simulateCommand       `cmd:"" help:"Compare query strategies by active learning on a labelled data set."`
	Status         statusCommand         `cmd:"" help:"Say how far an experiment on a cluster is."`
	Unit           unitCommand           `cmd:"" help:"Run one task of an experiment that was divided into tasks."`
	Query          queryCommand          `cmd:"" help:"Say which slices of a data set to label next, whatever program you label with."`
	Select         selectCommand         `cmd:"" help:"Pick the items to label next, by scores from any program."`
	Strategies     strategiesCommand     `cmd:"" help:"List the query strategies."`
	Train          trainCommand          `cmd:"" help:"Train a model on all labelled cases of a data set."`
	Predict        predictCommand        `cmd:"" help:"Segment a case, or a folder of cases, with a model."`
	Export         exportCommand         `cmd:"" help:"Write a model as ONNX, for other programs."`
	Evaluate       evaluateCommand       `cmd:"" help:"Compare masks with reference masks."`
	Inspect        inspectCommand        `cmd:"" help:"Say what a data set holds, and what is wrong with it."`
	Convert        convertCommand        `cmd:"" help:"Write an image or a mask in another format."`
	Pacs           pacsCommand           `cmd:"" help:"Take series from a PACS, and bring masks back."`
	Serve          serveCommand          `cmd:"" help:"Label slices on a page, with a model that proposes and asks."`
	Project        projectCommand        `cmd:"" help:"Check, back up, repair and restore an annotation project."`
	Report         reportCommand         `cmd:"" help:"Print and draw the learning curves of a run folder."`
	AnnotateScript annotateScriptCommand `cmd:"" help:"Label by known masks through the API of the annotation server."`
	Phantom        phantomCommand        `cmd:"" help:"Write the synthetic data set."`
	Presets        presetsCommand        `cmd:"" help:"Print the training presets."`
	Bench          benchCommand          `cmd:"" help:"Measure where the time goes, against the machine's ceilings."`
	Licences       licencesCommand       `cmd:"" help:"Print the licences of all that the program is made of."`
	Completion     completionCommand     `cmd:"" help:"Print the completion script of a shell."`
	Manual         manualCommand         `cmd:"" hidden:"" help:"Write the manual pages."`
	Version        versionCommand        `cmd:"" help:"Print the version, and what it was built with."`
}

// streams are the program's standard streams. Results go to out, everything else to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
	args     []string // the command line, to tell how to repeat it
}

// usageError is an error of whoever typed the command, as opposed to one of the world.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError ends the program with a code of its own. Without a text nothing is said.
type exitError struct {
	code int
	text string
}

func (e exitError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// results are the standard output of a command. The first error stays: nothing is written behind a gap, and run tells of it, whether or not the command has looked.
type results struct {
	to  io.Writer
	err error
}

func (r *results) Write(text []byte) (n int, err error) {
	if r.err == nil {
		n, r.err = r.to.Write(text)
	}
	return n, r.err
}

// run carries out a command line and returns the exit code. An interrupt ends the command at its next safe point; a
// second one ends the program at once. Where the output could not be written, as on a full disk, nothing counts as done.
func run(ctx context.Context, in io.Reader, out, errs io.Writer, args []string) int {
	r := &results{to: out}
	code := carryOut(ctx, in, r, errs, args)
	if r.err == nil || code != done && code != underWay {
		return code
	}
	if !syserr.BrokenPipe(r.err) { // else whoever read the output has gone: there is nobody to tell
		fmt.Fprintln(errs, "nextslice: the output is cut:", r.err)
	}
	return failed
}

func carryOut(ctx context.Context, in io.Reader, out *results, errs io.Writer, args []string) (code int) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	type exit int // how kong ends the program after --help
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	parser := newParser(out, errs, func(code int) { panic(exit(code)) })
	command, err := parser.Parse(spelled(args))
	if err != nil && out.err != nil {
		return done // the command line is in order: its help could not be written, which run says
	}
	if err != nil {
		fmt.Fprintln(errs, "nextslice:", strings.Replace(err.Error(), `but got "EOL" (<EOL>)`, "but got none", 1))
		if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context.Selected() != nil {
			fmt.Fprintf(errs, "Run \"%s --help\" for its flags and examples.\n", parse.Context.Selected().FullPath())
		} else {
			fmt.Fprintln(errs, "Run \"nextslice --help\" for the commands.")
		}
		return misuse
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(streams{in, out, errs, args})
	switch {
	case err == nil:
		return done
	case syserr.BrokenPipe(err):
		return failed // as above
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		if exit.text != "" {
			fmt.Fprintln(errs, "nextslice:", exit.text)
		}
		return exit.code
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted") // where there is nothing to go on with
	}
	fmt.Fprintln(errs, "nextslice:", err)
	if _, wrong := errors.AsType[usageError](err); wrong {
		return misuse
	}
	return failed
}

// spelled puts what people type with other programs, nothing, help and --version, in our way.
func spelled(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// newParser returns the parser of the command line.
func newParser(out, errs io.Writer, exit func(int)) *kong.Kong {
	parser, err := kong.New(&commands{},
		kong.Name("nextslice"),
		kong.Description("nextslice tells a team which slices of their medical volumes to label next.\n\n"+
			"Start with:  nextslice simulate      (a few minutes, on synthetic volumes)"),
		kong.Vars(phantomDefaults()),
		kong.Vars{"recommended": query.Recommended},
		kong.Writers(out, errs),
		kong.Exit(exit),
		kong.KindMapper(reflect.Int, kong.MapperFunc(wholeNumber)),
		kong.KindMapper(reflect.Uint64, kong.MapperFunc(wholeNumber)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		panic(err)
	}
	return parser
}

// wholeNumber reads a whole number in decimal form. By the library's own reading 010 would be 8.
func wholeNumber(ctx *kong.DecodeContext, into reflect.Value) error {
	unsigned := into.Kind() == reflect.Uint64
	kind := "int"
	if unsigned {
		kind = "uint"
	}
	t, err := ctx.Scan.PopValue(kind)
	if err != nil {
		return err
	}
	text := fmt.Sprint(t.Value)
	if unsigned {
		n, err := strconv.ParseUint(text, 10, 64)
		switch {
		case err != nil:
			return fmt.Errorf("want a whole number, 0 or more, got %q", text)
		case strconv.FormatUint(n, 10) != text:
			return fmt.Errorf("want a whole number, 0 or more, without leading zeros, got %q", text)
		}
		into.SetUint(n)
		return nil
	}
	n, err := strconv.ParseInt(text, 10, strconv.IntSize)
	switch {
	case err != nil:
		return fmt.Errorf("want a whole number, got %q", text)
	case strconv.FormatInt(n, 10) != text:
		return fmt.Errorf("want a whole number without leading zeros or plus, got %q", text)
	}
	into.SetInt(n)
	return nil
}
