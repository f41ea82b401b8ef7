package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/sync/errgroup"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/page"
	"github.com/nextslice/nextslice/annotate/server"
	"github.com/nextslice/nextslice/experiment"
	"github.com/nextslice/nextslice/internal/syserr"
	"github.com/nextslice/nextslice/internal/tempdir"
	"github.com/nextslice/nextslice/model"
	"github.com/nextslice/nextslice/train/recipe"
	"github.com/nextslice/nextslice/volume"
)

type serveCommand struct {
	Data    string `placeholder:"DIR" help:"Folder of the data set."`
	Demo    bool   `help:"Label synthetic volumes, which are written to nextslice-demo-data, with preset demo: for a first look."`
	Project string `placeholder:"DIR" help:"Project folder; the default is the data folder's name with -annotation."`

	Addr       string   `default:"127.0.0.1:8470" placeholder:"HOST:PORT" help:"Address to listen on. One that other machines can reach needs --people, --token-file or --token."`
	Token      string   `env:"NEXTSLICE_TOKEN" placeholder:"SECRET" help:"Secret that is asked for at login where there is no list of people, 16 characters or more; other users of this machine can read it in the list of processes."`
	TokenFile  string   `placeholder:"FILE" help:"File with that secret."`
	TLSCert    string   `placeholder:"FILE" help:"Certificate: serve HTTPS."`
	TLSKey     string   `placeholder:"FILE" help:"Key of the certificate."`
	MonaiLabel string   `name:"monai-label" placeholder:"HOST:PORT" help:"Also serve the MONAI Label protocol at the root of this address, for 3D Slicer; it is at /monailabel of the page's address too."`
	PlainHTTP  bool     `help:"Serve other machines without TLS: whoever sees the network's traffic sees names, secrets and images. For a server behind a proxy with TLS."`
	People     string   `placeholder:"LIST" help:"Who may log in: NAME or NAME:adjudicator, separated by commas, or @FILE (YAML: name, role, token). Where other machines can reach the server, or there is --token, those without a token get one, which is printed once."`
	NewToken   []string `placeholder:"NAME" help:"People of the list who get a new token."`
	Backups    int      `default:"7" placeholder:"N" help:"Daily copies of project.db that are kept in the project folder; 0 makes none."`
	Cache      int      `default:"1024" placeholder:"MB" help:"Memory for slices of the data, and for images and maps that the page shows again soon. Further slices are kept in a file."`
	Open       bool     `default:"true" negatable:"" help:"Open the page in a browser."`

	Strategy  *string  `placeholder:"NAME" help:"Query strategy (${recommended}); see the strategies command."`
	QuerySize *int     `placeholder:"N" help:"Slices per query (10)."`
	Preset    *string  `placeholder:"NAME" help:"Training preset (workstation); see the presets command."`
	Set       []string `sep:"none" placeholder:"KEY=VALUE" help:"Other value of one hyper-parameter of the preset, such as steps=4000; may be repeated."`
	Model     string   `placeholder:"FILE.onnx" help:"Network that another program trained: it proposes masks and is asked for the queries, and nothing is trained. See docs/how-to/use-your-own-network.md."`
	NoTrain   bool     `help:"No training: slices are chosen by the cold start's rule, without proposals."`
	engineFlag
	Threads     threadCount `default:"0" placeholder:"N" help:"Threads of the training; 0 is all cores. It runs at low priority."`
	Double      *float64    `name:"double-reading" placeholder:"SHARE" help:"Share of the slices that two people label independently (0)."`
	Agreement   *float64    `placeholder:"DICE" help:"Dice from which on two readings agree (0.8)."`
	Unsure      bool        `help:"People can paint unsure: pixels that are not learnt and not compared, 255 in exported masks."`
	UnsureValue *labelValue `placeholder:"VALUE" help:"Value of unsure pixels in exported NIfTI masks (255)."`
	Lease       *float64    `placeholder:"MINUTES" help:"How long a slice is kept for one person (20)."`

	channelsFlags
	Ignore          *labelValue `placeholder:"VALUE" help:"New project: label value of existing masks that means unsure; else the label ignore of dataset.json."`
	Channel         *int        `placeholder:"N" help:"New project: Channel to read of images that hold several (4-D files, nnU-Net's X_0001), from 0."`
	NaN             *float64    `name:"nan" placeholder:"VALUE" help:"New project: what NaN and infinite voxels are read as; without it they count as background."`
	Patient         *string     `placeholder:"PATTERN" help:"New project: Regular expression that finds the patient in a case's name, where each slice is a file: cases of a patient are not divided."`
	Axis            string      `default:"auto" enum:"auto,i,j,k" placeholder:"AXIS" help:"New project: index axis that slices are cut across: i, j, k or auto."`
	Classes         []string    `placeholder:"LIST" help:"New project: names of the classes without the background, where the data set has none."`
	Seed            *uint64     `placeholder:"N" help:"New project: seed of everything random (0)."`
	InitialSize     *int        `placeholder:"N" help:"New project: slices labelled before the first training (10)."`
	ColdStart       *string     `placeholder:"RULE" help:"New project: how these are chosen, random (the default), strided, typiclust or typiclust(features=vae), which trains an autoencoder first."`
	Masks           *string     `placeholder:"WHICH" help:"New project: existing masks that are taken over: all, foreground (slices with foreground only) or ignore."`
	ValidationCases *[]string   `placeholder:"LIST" help:"New project: these cases are for validation, with their masks; else a random fifth."`
	Lockstep        bool        `help:"New project: train when the whole query is answered, as a simulation does; the picks are then the same."`
}

func (serveCommand) Help() string {
	return `Opens a page on which people label the slices that a model asks for: it trains in the background, proposes masks to
correct, and says when more labels would hardly help. Labels are kept in the project folder: every one that was ever saved in an
SQLite file, and the newest of each as NIfTI in labels/final. The same command goes on with a project.

Examples:
  nextslice serve --demo
  nextslice serve --data DIR
  nextslice serve --data DIR --model other.onnx
  nextslice serve --data DIR --people ana,ben,eva:adjudicator --double-reading 0.1
  nextslice serve --data DIR --monai-label 127.0.0.1:8000
  nextslice serve --data DIR --addr 0.0.0.0:8470 --people ana,ben,eva:adjudicator --tls-cert cert.pem --tls-key key.pem`
}

func (c serveCommand) Run(ctx context.Context, s streams) error {
	tempdir.Sweep()
	if err := c.readToken(); err != nil {
		return usageError{err}
	}
	local, err := server.CheckAddress(c.Addr, c.Token, c.People != "")
	if err != nil {
		return usageError{fmt.Errorf("--addr: %w", err)}
	}
	localSlicer := true
	if c.MonaiLabel != "" {
		if localSlicer, err = server.CheckAddress(c.MonaiLabel, c.Token, c.People != ""); err != nil {
			return usageError{fmt.Errorf("--monai-label: %w", err)}
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usagef("--tls-cert and --tls-key: give both or none")
	}
	for address, local := range map[string]bool{"--addr " + c.Addr: local, "--monai-label " + c.MonaiLabel: localSlicer} {
		if !local && c.TLSCert == "" && !c.PlainHTTP {
			return usagef("%s: names, secrets and images would travel over the network in the clear: give --tls-cert and --tls-key, or insist with --plain-http", address)
		}
	}
	if c.Backups < 0 || c.Cache < 1 {
		return usagef("--backups and --cache: want 0 or more copies, and at least 1 MB")
	}
	if err := setTraining(&recipe.Config{}, c.Set); err != nil {
		return usageError{err}
	}
	if err := c.checkModel(); err != nil {
		return err
	}
	switch {
	case c.Demo && c.Data != "":
		return usagef("--demo and --data: give one of them")
	case c.Demo:
		if c.Data, err = demoData(ctx, s); err != nil {
			return err
		}
		c.Preset, c.Masks = cmp.Or(c.Preset, new("demo")), cmp.Or(c.Masks, new(annotate.MasksIgnore))
	case c.Data == "":
		return usagef("give the folder of the data set with --data, or --demo for synthetic volumes")
	}
	log := slog.New(slog.NewTextHandler(s.err, nil))
	engine := c.engine(s, int(c.Threads))
	engine.Notice = func(text string) { log.Warn(text) }
	if err := tryEngine(ctx, engine, log); err != nil {
		return usageError{err}
	}
	options := c.options(ctx, log, &engine)
	options.Try = func(config annotate.Config) error {
		asked := engine.For(config.Train)
		if c.Model != "" || asked.Precision == engine.Precision {
			return nil
		}
		engine = asked // which the project's learners are made with
		if err := tryEngine(ctx, engine, log); err != nil {
			return usageError{err}
		}
		return nil
	}
	if c.Model != "" {
		if options.Fixed, err = c.openModel(ctx, engine); err != nil {
			return err
		}
	}
	project, err := annotate.Open(ctx, options)
	if options.Fixed != nil {
		options.Fixed.Foreign.Close() // the project's learners have their own
	}
	if errors.Is(err, annotate.ErrLocked) {
		return fmt.Errorf("%w: close that server, or name another folder with --project", err)
	}
	if _, wrong := errors.AsType[*annotate.ConfigError](err); wrong {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	defer project.Close()
	if c.People != "" {
		people, err := parsePeople(c.People)
		if err != nil {
			return usageError{fmt.Errorf("--people: %w", err)}
		}
		if err := project.People.Set(ctx, people); err != nil {
			return err
		}
	}
	if err := c.tokens(ctx, s, project, local && localSlicer); err != nil {
		return err
	}
	listener, err := c.listen(ctx, c.Addr, "--addr")
	if err != nil {
		return err
	}
	var slicer net.Listener
	if c.MonaiLabel != "" {
		if slicer, err = c.listen(ctx, c.MonaiLabel, "--monai-label"); err != nil {
			listener.Close()
			return err
		}
	}
	if !(local && localSlicer) && c.TLSCert == "" {
		log.Warn("plain HTTP beyond this machine: whoever sees the network's traffic sees names, secrets and images")
	}
	handler := server.New(project, server.Options{
		Page: page.Files(), ContentSecurityPolicy: page.ContentSecurityPolicy, Token: c.Token, Local: local, Secure: c.TLSCert != "",
	})
	address := c.address(listener)
	fmt.Fprintf(s.out, "project  %s\npage     %s\n", project.Dir(), address)
	if slicer != nil {
		fmt.Fprintf(s.out, "slicer   %s\n", c.address(slicer))
	}
	fmt.Fprintln(s.out, "stop     Ctrl+C")
	if c.Open {
		openBrowser(address)
	}
	servers := map[net.Listener]*http.Server{listener: handler.HTTP()}
	if slicer != nil {
		servers[slicer] = handler.MONAILabel(localSlicer)
	}
	return serve(ctx, project, servers)
}

// checkModel refuses flags that contradict --model.
func (c serveCommand) checkModel() error {
	if c.Model == "" {
		return nil
	}
	if !model.IsONNX(c.Model) {
		return usagef("--model %s: want an ONNX file; nextslice export makes one of a model that was trained here", c.Model)
	}
	for flag, given := range map[string]bool{
		"--no-train": c.NoTrain, "--preset": c.Preset != nil, "--set": len(c.Set) > 0, "--lockstep": c.Lockstep,
	} {
		if given {
			return usagef("%s and --model: nothing is trained with --model, so leave one of them out", flag)
		}
	}
	for flag, given := range map[string]bool{"--axis": c.Axis != "auto", "--channel": c.Channel != nil, "--channels": len(c.Channels) > 0} {
		if given {
			return usagef("%s and --model: the network's description says that", flag)
		}
	}
	return nil
}

// tryEngine starts what computes once: what is wrong with it is told before the page opens.
func tryEngine(ctx context.Context, engine experiment.Engine, log *slog.Logger) error {
	e, err := engine.New(ctx, 0)
	if err != nil {
		return err
	}
	if engine.IsTorch() {
		log.Info("computing: " + experiment.EnvironmentOf(e).EngineText())
	}
	return e.Close()
}

// openModel reads the network of --model.
func (c serveCommand) openModel(ctx context.Context, engine experiment.Engine) (*model.Model, error) {
	e, err := engine.New(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer e.Close() // it only says how many threads there are
	return model.Load(e, c.Model)
}

// readToken reads the file with the secret.
func (c *serveCommand) readToken() error {
	if c.TokenFile == "" {
		return nil
	}
	if c.Token != "" {
		return errors.New("--token and --token-file: give one of them")
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	if c.Token = strings.TrimSpace(string(text)); c.Token == "" {
		return fmt.Errorf("--token-file: %s is empty", c.TokenFile)
	}
	return nil
}

// tokens tells the project the shared secret, and gives a token to those on the list of people who need one.
func (c serveCommand) tokens(ctx context.Context, s streams, project *annotate.Project, local bool) error {
	if err := project.People.SetSecret(ctx, c.Token); err != nil {
		return err
	}
	if err := project.People.ForgetTokens(ctx, c.NewToken); err != nil {
		return usageError{fmt.Errorf("--new-token: %w", err)}
	}
	if local && c.Token == "" && len(c.NewToken) == 0 {
		return nil
	}
	given, err := project.People.GiveTokens(ctx)
	if err != nil {
		return err
	}
	if len(given) == 0 {
		return nil
	}
	var text strings.Builder
	var names []string
	for _, a := range given {
		names = append(names, a.Name)
		fmt.Fprintf(&text, "token    %s  %s\n", a.Name, a.Token)
	}
	text.WriteString("         give each to its person: they are not shown again\n")
	if _, err := io.WriteString(s.out, text.String()); err != nil { // nobody has seen them
		return errors.Join(fmt.Errorf("write the tokens: %w: the next start gives others", err), project.People.ForgetTokens(ctx, names))
	}
	return nil
}

// serve answers requests until ctx is done, then lets those in work end.
func serve(ctx context.Context, project *annotate.Project, servers map[net.Listener]*http.Server) error {
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return project.Run(ctx) })
	for listener, h := range servers {
		tasks.Go(func() error {
			if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		tasks.Go(func() error {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return h.Shutdown(end)
		})
	}
	return tasks.Wait()
}

// options are those of the project; engine is read when its learners are made, which is not before it runs.
func (c serveCommand) options(ctx context.Context, log *slog.Logger, engine *experiment.Engine) annotate.Options {
	axis, _ := volume.ParseAxis(c.Axis) // the flag allows no other words
	o := annotate.Options{
		Data: c.Data, Dir: c.Project, Axis: axis, Classes: c.Classes, Log: log, Backups: cmp.Or(c.Backups, -1), CacheBytes: c.Cache << 20,
		Change: func(config *annotate.Config) {
			set(&config.Strategy, c.Strategy)
			set(&config.QuerySize, c.QuerySize)
			set(&config.Preset, c.Preset)
			_ = setTraining(&config.Train, c.Set) // was checked
			set(&config.DoubleReading, c.Double)
			set(&config.Agreement, c.Agreement)
			set(&config.LeaseMinutes, c.Lease)
			set(&config.UnsureValue, (*int)(c.UnsureValue))
			set(&config.Seed, c.Seed)
			set(&config.Channel, c.Channel)
			c.apply(&config.Channels, &config.Resample)
			set(&config.Ignore, (*int)(c.Ignore))
			nanFlag{c.NaN}.set(&config.Preprocess.NaN)
			config.Unsure = config.Unsure || c.Unsure
			set(&config.Patient, c.Patient)
			set(&config.InitialSize, c.InitialSize)
			set(&config.ColdStart, c.ColdStart)
			set(&config.Masks, c.Masks)
			if c.ValidationCases != nil {
				config.ValidationCases = trimmed(*c.ValidationCases)
			}
			config.Lockstep = config.Lockstep || c.Lockstep
		},
	}
	if !c.NoTrain {
		o.Learner = func() (annotate.Learner, error) {
			if c.Model != "" {
				m, err := c.openModel(ctx, *engine)
				if err != nil {
					return nil, err
				}
				return annotate.FixedNetwork(m, c.Model)
			}
			e, err := engine.New(ctx, 0)
			if err != nil {
				return nil, err
			}
			return annotate.Networks(e), nil
		}
	}
	return o
}

// trimmed returns the names of a list without the blanks around them, as behind commas.
func trimmed(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.TrimSpace(name)
	}
	return out
}

// listen opens an address, which a flag gave, with TLS if there is a certificate.
func (c serveCommand) listen(ctx context.Context, address, flag string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if syserr.AddressInUse(err) {
		return nil, fmt.Errorf("%s is in use: another server runs there, or choose another address with %s", address, flag)
	}
	if err != nil || c.TLSCert == "" {
		return listener, err
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}), nil
}

// address returns the page's address as a person types it.
func (c serveCommand) address(l net.Listener) string {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return scheme + "://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// parsePeople reads a list of people, or the file that it names.
func parsePeople(list string) ([]annotate.Account, error) {
	var people []annotate.Account
	if name, ok := strings.CutPrefix(list, "@"); ok {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalWithOptions(text, &people, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else {
		for one := range strings.SplitSeq(list, ",") {
			name, role, _ := strings.Cut(one, ":")
			people = append(people, annotate.Account{Name: name, Role: role})
		}
	}
	for i := range people {
		p := &people[i]
		if p.Name, p.Role = strings.TrimSpace(p.Name), strings.TrimSpace(p.Role); p.Role == "" {
			p.Role = annotate.Annotator
		}
		switch {
		case p.Name == "":
			return nil, errors.New("a name is empty")
		case p.Role != annotate.Annotator && p.Role != annotate.Adjudicator:
			return nil, fmt.Errorf("%s: want the role %s or %s, got %q", p.Name, annotate.Annotator, annotate.Adjudicator, p.Role)
		case slices.ContainsFunc(people[:i], func(q annotate.Account) bool { return q.Name == p.Name }):
			return nil, fmt.Errorf("%s appears twice", p.Name)
		}
	}
	return people, nil
}

// openBrowser opens a page where there is a desktop. That it cannot is no fault: the address is printed.
func openBrowser(address string) {
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case runtime.GOOS == "windows":
		_ = exec.Command("rundll32", "url.dll,FileProtocolHandler", address).Start()
		return
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return
	}
	_ = exec.Command(name, address).Start()
}
