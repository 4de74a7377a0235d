// Command diemtin gathers Vietnamese news from many outlets, merges what is
// the same story, sorts it into topics and gives it out again as feeds, day
// listings and pages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"diemtin/store"
)

// version is set by the linker in release builds.
var version = "0.1.0"

// verb is one thing the program does.
type verb struct {
	name    string
	args    string // what follows the flags
	short   string
	example string
	dashed  bool // arguments may begin with a dash: -the-thao
	// prepare declares the flags and returns what to do with the arguments.
	prepare func(*flag.FlagSet) func(ctx context.Context, std stdio, args []string) error
	sub     []verb // instead of prepare: the verbs that may follow, under their full names
}

// stdio is where a verb talks: JSON and tables to out, all else to err.
type stdio struct{ out, err io.Writer }

// verbs is the table of verbs, in the order of the overview.
func verbs() []verb {
	return []verb{serveVerb, demoVerb, pollVerb, probeVerb, discoverVerb, importVerb, exportVerb, explainVerb, storyVerb, rulingsVerb, tokenVerb, partnerVerb, checkVerb, configVerb, topicsVerb,
		backupVerb, restoreVerb, retentionVerb, migrateVerb, reloadVerb, statusVerb, doctorVerb, healthVerb, versionVerb}
}

// errUsage ends the program with exit code 2.
type errUsage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, stdio{os.Stdout, os.Stderr}, os.Args[1:]))
}

// run does what the arguments say and returns the exit code: 0, 1 for a
// failure, 2 for a wrong call. A failure is one plain message, never a trace.
func run(ctx context.Context, std stdio, args []string) int {
	err := dispatch(ctx, std, args)
	var usage errUsage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(std.err, "diemtin: %v\n", err)
		return 2
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(std.err, "diemtin: interrupted")
		return 1
	}
	fmt.Fprintf(std.err, "diemtin: %v\n", err)
	return 1
}

func dispatch(ctx context.Context, std stdio, args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		overview(std.out)
		if len(args) == 0 {
			return errUsage{errors.New("which verb? One of the above")}
		}
		return nil
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == args[0] })
	if i < 0 {
		var names []string
		for _, v := range all {
			names = append(names, v.name)
		}
		return errUsage{fmt.Errorf("unknown verb %q; want %s", args[0], strings.Join(names, ", "))}
	}
	return all[i].call(ctx, std, args[1:])
}

// call reads the flags that follow a verb and does it.
func (v verb) call(ctx context.Context, std stdio, args []string) error {
	if v.sub != nil {
		return v.callSub(ctx, std, args)
	}
	fs := flag.NewFlagSet(v.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	do := v.prepare(fs)
	if err := overrideFlags(fs, settingsOf(os.Environ())); err != nil {
		return errUsage{fmt.Errorf("%s: %w", v.name, err)}
	}
	rest, err := parseFlags(fs, args, v.dashed)
	switch {
	case errors.Is(err, flag.ErrHelp):
		v.help(std.out, fs)
		return nil
	case err != nil:
		return errUsage{fmt.Errorf("%s: %w; see diemtin %s -h", v.name, err, v.name)}
	}
	return do(ctx, std, rest)
}

// callSub does the verb of a group that args begin with.
func (v verb) callSub(ctx context.Context, std stdio, args []string) error {
	if len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		fmt.Fprintf(std.out, "%s\n\nUsage: diemtin %s VERB [flags] [arguments]\n\n", v.short, v.name)
		for _, s := range v.sub {
			fmt.Fprintf(std.out, "  %-20s %s\n", s.name, s.short)
		}
		fmt.Fprintf(std.out, "\nExample:\n  %s\n", v.example)
		return nil
	}
	var names []string
	for _, s := range v.sub {
		name := strings.TrimPrefix(s.name, v.name+" ")
		if len(args) > 0 && args[0] == name {
			return s.call(ctx, std, args[1:])
		}
		names = append(names, name)
	}
	return errUsage{fmt.Errorf("%s: want one of %s; see diemtin %s -h", v.name, strings.Join(names, ", "), v.name)}
}

// parseFlags reads flags wherever they stand, before or after the arguments.
// dashed says that what begins with one dash and is no flag is an argument, if
// another one stands before it.
func parseFlags(fs *flag.FlagSet, args []string, dashed bool) (rest []string, err error) {
	for {
		for dashed && len(rest) > 0 && len(args) > 0 && isOperand(fs, args[0]) {
			rest, args = append(rest, args[0]), args[1:]
		}
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

func isOperand(fs *flag.FlagSet, arg string) bool {
	name, one := strings.CutPrefix(arg, "-")
	name, _, _ = strings.Cut(name, "=")
	return one && name != "" && name[0] != '-' && name != "h" && name != "help" && fs.Lookup(name) == nil
}

func overview(w io.Writer) {
	fmt.Fprint(w, "điểm tin gathers news from many outlets and gives it out again, each story once.\n\nUsage: diemtin VERB [flags] [arguments]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-8s %s\n", v.name, v.short)
	}
	fmt.Fprint(w, "\ndiemtin VERB -h explains a verb. Start with: diemtin demo\n")
}

func (v verb) help(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n\nUsage: diemtin %s [flags] %s\n\n", v.short, v.name, v.args)
	fs.SetOutput(w)
	fs.VisitAll(func(f *flag.Flag) {
		name, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%-16s %s", strings.TrimSpace(f.Name+" "+name), usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
	fmt.Fprintf(w, "\nExample:\n  %s\n", v.example)
}

// noArguments refuses what a verb would ignore.
func noArguments(args []string) error {
	if len(args) > 0 {
		return errUsage{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

var versionVerb = verb{name: "version", short: "Print the version, and the schema it brings a database to.", example: "diemtin version",
	prepare: func(*flag.FlagSet) func(context.Context, stdio, []string) error {
		return func(_ context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			fmt.Fprintf(std.out, "diemtin %s%s (%s, %s/%s), schema %d\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH, store.KnownSchema())
			return nil
		}
	}}

// revision is the commit the binary was built from, if the build knew it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "+" + s.Value[:12]
		}
	}
	return ""
}
