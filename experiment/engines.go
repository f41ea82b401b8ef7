package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nextslice/nextslice/nn/unet/torch"
	"github.com/nextslice/nextslice/record"
	"github.com/nextslice/nextslice/tensor"
	"github.com/nextslice/nextslice/tensor/engines"
	"github.com/nextslice/nextslice/train/recipe"
)

// DeviceVariable names PyTorch's device, where the engine's name does not.
const DeviceVariable = "NEXTSLICE_DEVICE"

// MatrixUnit is the instruction set of engine native that rounds to bfloat16.
const MatrixUnit = "amx"

// Engine says what computes.
type Engine struct {
	// Name is that of an engine of the processor, see engines.Names; "" is the fastest there is. "torch" is the user's own PyTorch, "torch:cuda:1" with
	// its device, and "torch,native" goes on by native when PyTorch no longer computes.
	Name    string
	ISA     string // instruction set of the native engine, see engines.NewWith
	Threads int    // 0 is one per processor

	Python    string            // of PyTorch, see torch.Options
	Precision string            // of PyTorch, likewise; of native "bfloat16", which is the instruction set amx, or "float32"; "" is the engine's own
	Notice    func(text string) // lines for the person who waits; nil: none
}

// torch reports whether the name is one of PyTorch, and which device and which other engine it names.
func (e Engine) torch() (yes bool, device, other string) {
	first, other, _ := strings.Cut(e.Name, ",")
	name, device, _ := strings.Cut(first, ":")
	return name == "torch", cmp.Or(device, os.Getenv(DeviceVariable)), other
}

// IsTorch reports whether PyTorch computes.
func (e Engine) IsTorch() bool {
	yes, _, _ := e.torch()
	return yes
}

// For returns the engine that computes a recipe: in the precision that it asks for, unless e names one.
func (e Engine) For(c recipe.Config) Engine {
	e.Precision = cmp.Or(e.Precision, c.Precision)
	return e
}

// Validate refuses what contradicts itself.
func (e Engine) Validate() error {
	yes, _, other := e.torch()
	switch {
	case !yes && e.Python != "":
		return errors.New("--python belongs to --engine torch")
	case !yes && (e.Precision == "exact" || e.Precision == "tf32"):
		return fmt.Errorf("precision %s belongs to --engine torch: the processor's engines compute in float32, which is exact, and native in bfloat16 too", e.Precision)
	case !yes && e.Precision == "bfloat16" && (e.Name == "ref" || e.ISA != "" && e.ISA != MatrixUnit):
		return fmt.Errorf("precision bfloat16 is for --engine native with the instruction set %s, or for --engine torch", MatrixUnit)
	case yes && e.ISA != "":
		return errors.New("--isa: engine torch has no instruction set to choose; leave it out")
	case other == "torch" || strings.Contains(other, ","):
		return fmt.Errorf("engine %q: want torch, or torch and one engine of the processor, as in torch,native", e.Name)
	}
	return nil
}

// New returns the engine, the job-th of several that compute at the same time.
func (e Engine) New(ctx context.Context, job int) (tensor.Engine, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	yes, device, other := e.torch()
	if !yes {
		if e.Precision == "bfloat16" {
			e.ISA = MatrixUnit
		}
		made, err := engines.NewWith(e.Name, e.Threads, e.ISA)
		if err != nil && e.Precision == "bfloat16" {
			err = fmt.Errorf("precision bfloat16 needs a processor with a matrix unit (AMX: Intel's Xeons since 2023, by Linux 5.16 or later): leave it out; %w", err)
		}
		if err != nil && strings.HasPrefix(err.Error(), fmt.Sprintf("engine %q: want ", e.Name)) {
			err = fmt.Errorf("%w, or torch for a GPU", err)
		}
		return made, err
	}
	host, err := engines.New(other, e.Threads)
	if err != nil {
		return nil, err
	}
	return torch.New(ctx, host, torch.Options{
		Python: e.Python, Device: device, Job: job, Precision: e.Precision, Fallback: other != "", Notice: e.Notice,
	})
}

// EnvironmentOf describes this program, the machine and the engine that computes.
func EnvironmentOf(e tensor.Engine) record.Env {
	env := record.Environment()
	setEngine(&env, engines.Describe(e))
	if t, ok := e.(*torch.Engine); ok {
		env.Detail = t.Detail()
	}
	return env
}

func setEngine(env *record.Env, d engines.Description) {
	env.Engine, env.InstructionSet, env.Compiler, env.Threads = d.Engine, d.ISA, d.Compiler, d.Threads
}

// newEngines returns an engine per job, for the recipe of an experiment.
func newEngines(ctx context.Context, o Options, c recipe.Config, jobs int) (made []tensor.Engine, err error) {
	how := o.engine().For(c)
	if yes, _, other := how.torch(); yes && other != "" {
		return nil, fmt.Errorf("engine %s: the records of a run come from one engine: leave %s out", o.Engine, other)
	}
	for job := range jobs {
		e, err := how.New(ctx, job)
		if err != nil {
			closeAll(made)
			return nil, err
		}
		made = append(made, e)
	}
	return made, nil
}

func closeAll(engines []tensor.Engine) {
	for _, e := range engines {
		e.Close()
	}
}

// free returns engines to take one from and put it back.
func free(engines []tensor.Engine) chan tensor.Engine {
	c := make(chan tensor.Engine, len(engines))
	for _, e := range engines {
		c <- e
	}
	return c
}
