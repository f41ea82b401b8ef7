package null

import (
	"math"
	"reflect"
)

// Clean makes all that v points to fit for JSON: a number that is NaN or infinite becomes 0, a pointer to one becomes nil. One number that
// cannot be written would otherwise take the whole answer with it.
func Clean(v any) { clean(reflect.ValueOf(v)) }

func clean(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if e := v.Elem(); isFloat(e) && !finite(e.Float()) && v.CanSet() {
			v.SetZero()
			return
		}
		clean(v.Elem())
	case reflect.Interface:
		clean(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				clean(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Uint8, reflect.Int, reflect.String:
			return
		}
		for i := range v.Len() {
			clean(v.Index(i))
		}
	case reflect.Float32, reflect.Float64:
		if !finite(v.Float()) && v.CanSet() {
			v.SetFloat(0)
		}
	}
}

func isFloat(v reflect.Value) bool { return v.Kind() == reflect.Float32 || v.Kind() == reflect.Float64 }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
