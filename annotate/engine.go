package annotate

import (
	"errors"
	"fmt"

	"github.com/nextslice/nextslice/tensor"

	"github.com/nextslice/nextslice/annotate/fault"
)

// fallback is what an engine is besides that can go on on the processor, such as torch.Engine.
type fallback interface {
	// FallsBack reports whether it will, after a failure.
	FallsBack() bool
	// Fallen is why it does; nil while it does not.
	Fallen() error
}

// engineFault says what of the learner's engine the page shows as long as it lasts, after a training that ended with err: nil, if all is well. again says
// that the training is to be begun again at once, since it then runs on the processor.
func engineFault(l Learner, err error) (again bool, lasting error) {
	var f fallback
	if n, ok := l.(networks); ok {
		f, _ = n.Engine.(fallback)
	}
	_, broken := errors.AsType[*tensor.EngineError](err)
	switch {
	case broken && f != nil && f.FallsBack() && f.Fallen() == nil:
		return true, fault.With(fmt.Errorf("training: %w; it begins again on the processor", err), fault.TrainingAgain, "text", err.Error())
	case broken:
		return false, fault.With(fmt.Errorf("training: %w; labels are safe, and the next one starts another training", err), fault.TrainingFailed, "text", err.Error())
	case f != nil && f.Fallen() != nil:
		return false, fault.With(fmt.Errorf("the processor computes, which is slower: %w", f.Fallen()), fault.TrainingSlow, "text", f.Fallen().Error())
	}
	return false, nil
}
